"""The faults suite: injected faults, after which no order may be lost or swapped twice.

Virtual trials run the engine on fakes and a virtual clock and inject a fault at every single call. Trials on the real
stack kill processes, stop PostgreSQL and delay AWS calls. Both check that every order keeps the invariants.
"""
