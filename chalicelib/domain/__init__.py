"""What an order is and may do. Pure: no clock, no randomness, no I/O."""
