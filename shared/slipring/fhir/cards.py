"""The id of a card of advice: it names the rule it came from, so that feedback needs no memory of what was shown.

A version 8 UUID (RFC 9562, custom): its first four octets are the beginning of the SHA-256 of the rule's id, the
rest is random.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from hashlib import sha256

_NAMED_BY = 4  # octets
_VERSION = 8


def card_id(rule: str, chance: bytes) -> uuid.UUID:
    """A fresh id for a card of this rule; `chance` are twelve random octets."""
    octets = bytearray(_mark(rule) + chance[: 16 - _NAMED_BY])
    octets[6] = octets[6] & 0x0F | _VERSION << 4
    octets[8] = octets[8] & 0x3F | 0x80  # the variant of RFC 9562
    return uuid.UUID(bytes=bytes(octets))


def rule_of_card(card: str, rules: Iterable[str]) -> str:
    """The rule that a card was of, or an empty string when it is none of ours."""
    try:
        octets = uuid.UUID(card).bytes
    except ValueError:
        return ""
    if octets[6] >> 4 != _VERSION:
        return ""
    return next((rule for rule in rules if octets.startswith(_mark(rule))), "")


def _mark(rule: str) -> bytes:
    return sha256(rule.encode()).digest()[:_NAMED_BY]
