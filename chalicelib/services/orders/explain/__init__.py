"""The explanation of an order: its story, its routing decisions, and what would have filled it."""
