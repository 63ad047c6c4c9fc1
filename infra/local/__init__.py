"""The whole system on one machine without Docker: PostgreSQL, an AWS emulator, the deployed app, front door."""
