"""The watchdog, and the views of the engine's state."""
