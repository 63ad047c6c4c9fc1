"""The order and its rules. The domain is pure: no clock, no randomness, no I/O."""
