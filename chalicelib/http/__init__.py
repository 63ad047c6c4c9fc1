"""The HTTP door: parse, call one service, shape the answer."""
