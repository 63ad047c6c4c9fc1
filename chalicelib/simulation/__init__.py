"""The simulated market: pools, prices, launches, faults and the venues that trade on them."""
