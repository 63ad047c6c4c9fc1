"""The answers of the engine as frozen, exact values."""
