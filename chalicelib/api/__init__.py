"""The public contract: requests, responses, frames and problems."""
