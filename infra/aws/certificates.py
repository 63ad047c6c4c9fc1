"""The certificates of a database's own authority, from the file that the operator names in ``CA_BUNDLE``."""

import ssl
from collections.abc import Mapping
from pathlib import Path

from infra.errors import InfraError


class CertificatesError(InfraError):
    """The file has no certificates."""


def own_certificates(environment: Mapping[str, str]) -> Path | None:
    """Return the file that ``CA_BUNDLE`` names, or ``None`` if it names none.

    :raises CertificatesError: if the file cannot be read, or is no PEM file with nothing but certificates.
    """
    if not (name := environment.get("CA_BUNDLE")):
        return None
    file = Path(name).resolve()
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(file)
        has_key = b"PRIVATE KEY" in file.read_bytes()
    except ssl.SSLError:
        raise CertificatesError(f"CA_BUNDLE={name} must be a PEM file with certificates.") from None
    except OSError as error:
        raise CertificatesError(f"CA_BUNDLE={name} cannot be read ({error.strerror}).") from None
    if has_key:
        raise CertificatesError(f"CA_BUNDLE={name} has a private key, which must not be in the package.")
    return file
