"""The use cases of one order, from acceptance to its terminal status."""
