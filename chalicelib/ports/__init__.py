"""The ports of the use cases, as protocols by subject. Adapters implement them, tests bring fakes."""
