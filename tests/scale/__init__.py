"""A discrete-event simulation of the engine's way of an order, held against the engine, and then scaled up."""
