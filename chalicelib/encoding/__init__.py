"""How values are written down: exact JSON, times, and an order as plain data."""
