"""What the use cases need of the outside, as protocols by subject. Adapters implement them, tests bring fakes."""
