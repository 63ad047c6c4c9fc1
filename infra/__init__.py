"""Everything that packages, deploys and runs the engine, and nothing that it needs to work."""
