"""The published keys of a service (members of a JWK Set, RFC 7517): read, and trusted by the keys before them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from joserfc.jwk import ECKey

from slipring.signing.seal import KnownKey, canonical, examine

ENDORSEMENT = "key-endorsement"  # the `typ` of the seal that the key before puts on a new one
Jwk = dict[str, Any]


def known(jwks: Iterable[Mapping[str, Any]]) -> list[KnownKey]:
    """Published keys, ready to be judged by; raises ValueError when one is none."""
    found = []
    for jwk in jwks:
        public = {name: jwk[name] for name in ("kty", "crv", "x", "y", "kid", "use", "alg") if name in jwk}
        until = jwk.get("until")
        since = datetime.fromisoformat(jwk["since"])
        key = ECKey.import_key(public)
        found.append(
            KnownKey(str(jwk["kid"]), str(jwk["service"]), key, since, datetime.fromisoformat(until) if until else None)
        )
    return found


def endorsed(trusted: Sequence[KnownKey], published_jwks: Sequence[Mapping[str, Any]]) -> list[KnownKey]:
    """The trusted keys, and every published one that a chain of endorsements leads to from them.

    A trusted key that was rotated since is known to have ended, if the key that it endorsed says when.
    """
    found = {key.kid: key for key in trusted}
    waiting = sorted(published_jwks, key=lambda jwk: str(jwk.get("since", "")))
    for jwk in waiting:
        if jwk["kid"] in found or not jwk.get("endorsed"):
            continue
        [candidate] = known([jwk])
        public = {name: jwk[name] for name in jwk if name not in ("since", "until", "service", "endorsed")}
        if examine(jwk["endorsed"], stated(public, candidate.service), ENDORSEMENT, _of(found, candidate)).valid:
            found[candidate.kid] = candidate
    return list(found.values())


def _of(found: Mapping[str, KnownKey], candidate: KnownKey) -> dict[str, KnownKey]:
    return {kid: key for kid, key in found.items() if key.service == candidate.service}


def stated(public: Mapping[str, Any], service: str) -> bytes:
    """What an endorsement seals: the public key and whose it is."""
    return canonical({**{name: str(value) for name, value in public.items()}, "service": service})
