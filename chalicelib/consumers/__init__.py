"""The entry points of the queues: each processes a batch of messages."""
