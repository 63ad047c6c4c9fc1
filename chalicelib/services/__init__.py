"""The use cases, one per file, in packages by subject."""
