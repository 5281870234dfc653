"""Where the roots that signers' certificates are judged against are found, as the environment says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from slipring.runtime.clock import utc_now
from slipring.runtime.postgres import default_data_dir
from slipring.signing.algorithms import registry
from slipring.signing.certificate import LIST, make_authority

YES = frozenset({"1", "true", "yes", "on"})


def trusted_root(given: Mapping[str, str]) -> Path:
    """SLIPRING_SIGNING_TRUST, else the department's own root.

    A demo makes its own at its first start, a real department by `slipring certificate`.
    """
    if trust := given.get("SLIPRING_SIGNING_TRUST"):
        return Path(trust)
    folder = authority_folder(given)
    if given.get("SLIPRING_DEMO", "").lower() in YES:
        make_authority(folder, now=utc_now())
    return folder / "root.pem"


def authority_folder(given: Mapping[str, str]) -> Path:
    """Where the department's own authority lies."""
    named = given.get("SLIPRING_DATA_DIR")
    return (Path(named) if named else default_data_dir()) / "signing"


def algorithms_accepted(given: Mapping[str, str]) -> tuple[str, ...]:
    """SLIPRING_SIGNING_ALGORITHMS, names with commas; none when it says nothing. ValueError for one not known here."""
    named = tuple(name.strip() for name in given.get("SLIPRING_SIGNING_ALGORITHMS", "").split(",") if name.strip())
    if unknown := [name for name in named if name not in registry()]:
        raise ValueError(
            f"SLIPRING_SIGNING_ALGORITHMS: {', '.join(unknown)} not known here; known are {', '.join(registry())}"
        )
    return named


def read_revocation_lists(trust: Path, named: Sequence[Path]) -> list[bytes]:
    """The lists that the environment names, and the one that `slipring certificate revoke` keeps beside the roots.

    Read each time, as they are replaced while a service runs. OSError when one that was named is away.
    """
    own = trust.with_name(LIST)
    return [path.read_bytes() for path in (*named, *([own] if own not in named and own.exists() else []))]


def revocation_files(given: Mapping[str, str]) -> tuple[Path, ...]:
    """SLIPRING_SIGNING_CRL, paths with commas: the revocation lists of the authorities (PEM or DER)."""
    return tuple(Path(name.strip()) for name in given.get("SLIPRING_SIGNING_CRL", "").split(",") if name.strip())
