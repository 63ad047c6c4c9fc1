"""Routing: the best swap of a pair, and the router that chooses a venue."""
