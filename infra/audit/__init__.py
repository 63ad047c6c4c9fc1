"""The checks of the supply chain: known vulnerabilities of the locked packages, and secrets in the repository."""
