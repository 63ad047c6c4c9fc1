"""How the engine writes values down: exact JSON, times, orders, events and queue messages."""
