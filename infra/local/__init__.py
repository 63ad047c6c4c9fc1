"""The whole system on one machine without Docker: PostgreSQL, an AWS emulator, the app, a front door."""
