"""Who calls: what a verified access token says, and what it allows (SMART App Launch 2.2, scopes).

A token is read once: its grants are kept by their set of scopes, so that a request asks a small tuple.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import parse_qsl

# `cruds` in this order, at least one; the endings of SMART v1 mean what they meant.
_SCOPE = re.compile(
    r"(?P<context>system|user|patient)/(?P<type>\*|[A-Z][A-Za-z]{1,63})"
    r"\.(?P<letters>\*|read|write|(?=[cruds])c?r?u?d?s?)(?:\?(?P<query>.+))?",
    re.ASCII,
)
_LETTERS = {"*": "cruds", "read": "rs", "write": "cud"}
DRAFT_READ = "slipring/draft-read"
RECEIVES_CRITICAL = "may-receive-critical"
# Types that `*` does not mean: who sees what everybody did is granted it by its name.
BY_TYPE_ONLY = frozenset({"AuditEvent"})
BREAK_GLASS = "BTG"  # http://terminology.hl7.org/CodeSystem/v3-ActReason, purpose of use


@dataclass(frozen=True, slots=True)
class Grant:
    """One scope on resources: interactions (of c, r, u, d, s) on a type (`*`: on all), within search parameters.

    All `parameters` must hold. `context` patient means: only what belongs to the patient of the token.
    """

    context: str
    type: str
    letters: str
    parameters: tuple[tuple[str, str], ...] = ()

    @property
    def whole(self) -> bool:
        """Whether it reaches every resource of its type."""
        return self.context != "patient" and not self.parameters


@lru_cache(maxsize=4096)
def grant_of(scope: str) -> Grant | None:
    """What a scope grants on resources; None when it is no such scope."""
    match = _SCOPE.fullmatch(scope)
    if not match:
        return None
    try:
        pairs = parse_qsl(match["query"] or "", keep_blank_values=True, strict_parsing=True, errors="strict")
    except ValueError:
        if match["query"]:
            return None
        pairs = []
    return Grant(match["context"], match["type"], _LETTERS.get(match["letters"], match["letters"]), tuple(pairs))


@lru_cache(maxsize=4096)
def _grants(scopes: frozenset[str]) -> tuple[Grant, ...]:
    return tuple(grant for scope in sorted(scopes) if (grant := grant_of(scope)))


@lru_cache(maxsize=16384)
def _granting(scopes: frozenset[str], patient: bool, resource_type: str, letter: str) -> tuple[Grant, ...]:
    return tuple(
        grant
        for grant in _grants(scopes)
        if letter in grant.letters
        and (grant.type == resource_type or (grant.type == "*" and resource_type not in BY_TYPE_ONLY))
        and (grant.context != "patient" or patient)
    )


@lru_cache(maxsize=4096)
def _bounded(scopes: frozenset[str]) -> bool:
    return not all(grant.whole for grant in _grants(scopes))


@dataclass(frozen=True, slots=True)
class Caller:
    """The client behind a request.

    `practitioner` is set when it acts for one person (`fhirUser`), `patient` when the token is about one patient
    (his id, launch context): `patient/` scopes grant nothing without him; `also` are his other records, which the HIS
    has merged with that one. `proved_at`: when the person, or the client,
    proved who it is, in seconds since 1970; None for the service itself. `emergency`: with break-glass rights.
    """

    client: str
    scopes: frozenset[str] = frozenset()
    practitioner: str | None = None  # "Practitioner/o-..."
    patient: str | None = None
    also: tuple[str, ...] = ()
    proved_at: float | None = None
    emergency: bool = False

    def grants(self, resource_type: str, letter: str) -> tuple[Grant, ...]:
        """The scopes that grant one of c, r, u, d, s on this type; `*` asks for all types at once."""
        return _granting(self.scopes, self.patient is not None, resource_type, letter)

    def allows(self, resource_type: str, letter: str) -> bool:
        """Whether a scope grants the interaction on this type at all, be it within limits."""
        return bool(self.grants(resource_type, letter))

    def has(self, scope: str) -> bool:
        """Whether an extra scope such as `slipring/import` was granted; never implied by `system/*`."""
        return scope in self.scopes

    @property
    def records(self) -> tuple[str, ...]:
        """The ids of the patient's records that `patient/` scopes reach."""
        return (self.patient, *self.also) if self.patient else ()

    @property
    def bounded(self) -> bool:
        """Whether any scope reaches only some of the resources of its type."""
        return _bounded(self.scopes)

    @property
    def audiences(self) -> tuple[str, ...] | None:
        """As whom he is shown what not everybody may see yet; None: he is shown everything."""
        if DRAFT_READ in self.scopes:
            return None
        found = [RECEIVES_CRITICAL] if RECEIVES_CRITICAL in self.scopes else []
        return tuple([*found, self.practitioner] if self.practitioner else found)


# The service itself, e.g. when a timer fires: it writes under its own name.
def itself(service: str) -> Caller:
    """The caller that stands in the audit row when a service acts by itself."""
    return Caller(client=f"slipring-{service}", scopes=frozenset({"system/*.cruds", DRAFT_READ}))
