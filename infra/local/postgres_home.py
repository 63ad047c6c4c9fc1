"""The directory that PostgreSQL lives in, which its user must be able to reach."""

import os
import stat
from hashlib import sha256
from pathlib import Path

from infra.local.errors import LocalStackError


def home(state_dir: Path) -> Path:
    """Return the server's directory: in the state directory, or elsewhere if only root can reach that.

    Started by root, the server runs as ``nobody``, which cannot pass through a directory such as ``/root``.

    :raises LocalStackError: if another user owns the directory.
    """
    place = state_dir / "postgres"
    if os.geteuid() == 0 and not is_open_to_all(state_dir):
        name = f"order-execution-engine-{sha256(str(state_dir).encode()).hexdigest()[:12]}"
        # A reboot empties /tmp but not /var/tmp. Another user can predict the name, so the owner is checked below.
        place = Path("/var/tmp") / name  # noqa: S108
    place.mkdir(parents=True, exist_ok=True)
    if place.stat().st_uid != os.geteuid() or place.is_symlink():
        raise LocalStackError(f"{place} belongs to another user: remove it, or set STATE_DIR.")
    return place


def is_open_to_all(path: Path) -> bool:
    """Return whether every user may pass through ``path`` and all directories above it."""
    return all(place.stat().st_mode & stat.S_IXOTH for place in (path, *path.parents))
