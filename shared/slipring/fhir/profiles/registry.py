"""Where a canonical address becomes a profile: services hand in theirs when they are opened."""

from __future__ import annotations

from collections.abc import Iterable

from slipring.fhir.profiles.profile import Profile

_declared: dict[str, Profile] = {}


def declare(found: Iterable[Profile]) -> None:
    """Make profiles known; telling the same ones again changes nothing."""
    _declared.update({one.url: one for one in found})


def profile(url: str) -> Profile | None:
    """The profile at an address (`url` or `url|version`), or None when it is none of ours."""
    address, _, version = url.partition("|")
    found = _declared.get(address)
    return None if found and version not in ("", "1") else found


def profiles() -> tuple[Profile, ...]:
    """All profiles that are known, by address."""
    return tuple(_declared[url] for url in sorted(_declared))
