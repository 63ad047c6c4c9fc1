"""The use cases of the market: pushed prices, launches, and the open orders that wait for them."""
