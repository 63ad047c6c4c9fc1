"""SQS: the messages, the queues, and how a delivered batch is worked through."""
