"""The engine on fakes and virtual time, with a fault injected at any call to the adapters."""
