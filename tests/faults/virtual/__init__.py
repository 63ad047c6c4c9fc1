"""The engine in a world of fakes and virtual time, in which every call to the adapters can go wrong."""
