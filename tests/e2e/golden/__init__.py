"""The golden session: the recorded answers and frames that every later version must reproduce for a client."""
