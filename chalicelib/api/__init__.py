"""The public contract and nothing else: requests, responses, frames and problems."""
