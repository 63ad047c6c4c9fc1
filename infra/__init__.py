"""Tools that package, deploy, run and inspect the engine. The engine does not import this package."""
