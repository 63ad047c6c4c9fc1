"""The use cases of the status streams: publishing events and subscribing to them."""
