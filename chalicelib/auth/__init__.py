"""Authentication: how the credential of a request proves who its caller is."""
