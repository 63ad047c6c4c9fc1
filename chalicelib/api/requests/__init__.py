"""Requests as clients write them, validated field by field."""
