"""The use cases, one per file, in wings by subject."""
