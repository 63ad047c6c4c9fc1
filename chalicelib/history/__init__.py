"""The durable record of orders in Postgres: its schema, the migrations, and the adapter."""
