"""What an operator learns: one function per business event, which logs the event and counts it.

``orders``, ``streams`` and ``operations`` have the functions, ``metrics`` the metrics that they count, and
``context`` the ids that every log line carries. ``chalicelib.logs`` writes the lines.
"""
