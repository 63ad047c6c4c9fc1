"""The golden session: what a client of the engine saw at the time of the recording, and must see again."""
