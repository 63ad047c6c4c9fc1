"""Commands that inspect a running deployment: the doctor and the dead letters."""
