"""The critical path of an order with the latencies of AWS between the functions and their services."""
