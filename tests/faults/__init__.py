"""The faults suite: what is broken on purpose, and that no order is lost or swapped twice by it.

Virtual trials run the engine on fakes and a virtual clock and break it at every single call; trials on the real stack
kill, stop and delay what is really there. Both end with the same question: does every order keep the invariants?
"""
