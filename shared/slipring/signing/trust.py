"""Where the roots that signers' certificates are judged against are found, as the environment says."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from slipring.runtime.clock import utc_now
from slipring.runtime.postgres import default_data_dir
from slipring.signing.certificate import make_authority

YES = frozenset({"1", "true", "yes", "on"})


def trusted_root(given: Mapping[str, str]) -> Path:
    """SLIPRING_SIGNING_TRUST, else the department's own root.

    A demo makes its own at its first start, a real department by `slipring certificate`.
    """
    if trust := given.get("SLIPRING_SIGNING_TRUST"):
        return Path(trust)
    named = given.get("SLIPRING_DATA_DIR")
    folder = (Path(named) if named else default_data_dir()) / "signing"
    if given.get("SLIPRING_DEMO", "").lower() in YES:
        make_authority(folder, now=utc_now())
    return folder / "root.pem"


def algorithms_accepted(given: Mapping[str, str]) -> tuple[str, ...]:
    """SLIPRING_SIGNING_ALGORITHMS, names with commas; none when it says nothing."""
    return tuple(name.strip() for name in given.get("SLIPRING_SIGNING_ALGORITHMS", "").split(",") if name.strip())
