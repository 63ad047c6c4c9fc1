"""What carries out the commands of the flows: drivers, and transports over httpx2 and websockets."""
