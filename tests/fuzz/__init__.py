"""Random requests, built from the models of ``chalicelib.api``, against a running stack."""
