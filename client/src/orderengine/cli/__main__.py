"""``python -m orderengine.cli``: ``oe`` where its script is not on the path."""

from orderengine.cli import main

main()
