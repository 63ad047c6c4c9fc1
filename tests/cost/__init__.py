"""What an order costs: its calls, capacity units and bytes, measured, and their price by a dated table."""
