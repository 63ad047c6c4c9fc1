"""The whole system on one machine without Docker: PostgreSQL, an AWS emulator, the app and a front door."""
