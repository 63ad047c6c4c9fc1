"""The queues' door: how a delivered batch is worked through, and what each message is for."""
