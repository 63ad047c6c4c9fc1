"""``python -m orderengine.mcp`` serves the engine at ``OE_URL`` with the key ``OE_KEY``."""

from orderengine.client import Client
from orderengine.mcp.server import serve

if __name__ == "__main__":
    serve(Client)
