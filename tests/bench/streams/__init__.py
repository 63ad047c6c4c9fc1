"""The streams under a crowd: the first frame, sockets on an order, followers, bad neighbours, sockets that left."""
