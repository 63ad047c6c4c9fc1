"""Where an order trades: venues, pool arithmetic, the router, and the simulated chain."""
