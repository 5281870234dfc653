"""What a seal over audit rows says, as the bytes that are signed."""

from __future__ import annotations

from dataclasses import dataclass

from slipring.signing.seal import canonical

SEAL = "audit-seal"
FORMAT = "slipring-audit-seal/1"


@dataclass(frozen=True, slots=True)
class Head:
    """One seal: its number, how many numbers were left out before it, the rows it covers, and what went before."""

    number: int
    skipped: int = 0
    rows: int = 0
    first: int = 0
    last: int = 0
    root: str = ""
    previous: str = ""
    sha256: str = ""  # of its own signature


def payload(service: str, head: Head) -> bytes:
    """The signed statement; ids and numbers are whole numbers, hashes are hexadecimal."""
    return canonical(
        {
            "format": FORMAT,
            "service": service,
            "number": head.number,
            "skipped": head.skipped,
            "rows": head.rows,
            "first": head.first,
            "last": head.last,
            "root": head.root,
            "previous": head.previous,
        }
    )
