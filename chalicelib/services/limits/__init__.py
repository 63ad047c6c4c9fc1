"""How much the engine takes in: the rate limit, limits per user, and the priority lane."""
