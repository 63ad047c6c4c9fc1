"""What keeps the engine running and shows how it runs."""
