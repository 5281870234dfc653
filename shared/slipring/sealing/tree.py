"""The hash tree of a seal, as RFC 6962 section 2.1 builds it.

A leaf is SHA-256(0x00 || text), a node SHA-256(0x01 || left || right); n leaves are split at the largest power of two
below n. The text of an audit row is `id content_sha256 stored_sha256`, with one blank between: so a seal binds which
row it is, everything in it, and the stored text of the version it tells of.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence

_ID_BYTES = 8
_WIDTH = _ID_BYTES + 32


def leaf(row: int, content_sha256: str, stored_sha256: str) -> bytes:
    """The leaf of one audit row."""
    return hashlib.sha256(b"\x00" + f"{row} {content_sha256} {stored_sha256}".encode()).digest()


def root(leaves: Sequence[bytes]) -> bytes:
    """The root over leaves in order; a lone node at a level's end goes up as it is, which is the same split."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    level = list(leaves)
    while len(level) > 1:
        pairs = zip(level[::2], level[1::2], strict=False)
        above = [hashlib.sha256(b"\x01" + left + right).digest() for left, right in pairs]
        level = above + level[len(above) * 2 :]
    return level[0]


def packed(leaves: Iterable[tuple[int, bytes]]) -> bytes:
    """Ids with their leaves as a seal keeps them."""
    return b"".join(row.to_bytes(_ID_BYTES, "big", signed=True) + digest for row, digest in leaves)


def unpacked(text: bytes) -> Iterator[tuple[int, bytes]]:
    """The same again; a rest that is no whole record is left out, and the root then differs."""
    for start in range(0, len(text) - _WIDTH + 1, _WIDTH):
        yield (
            int.from_bytes(text[start : start + _ID_BYTES], "big", signed=True),
            text[start + _ID_BYTES : start + _WIDTH],
        )
