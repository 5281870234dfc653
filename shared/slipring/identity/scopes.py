"""Which scopes a client may get: what it asks must lie inside what it was registered for. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from slipring.fhir.access import scope_fault
from slipring.fhir.caller import BY_TYPE_ONLY, DRAFT_READ, RECEIVES_CRITICAL, Grant, grant_of
from slipring.fhir.search.values import split

# Granted one by one, never part of `system/*.cruds` (mechanisms 5).
EXTRA_SCOPES = frozenset(
    {
        "slipring/import",
        "slipring/record-late",
        DRAFT_READ,
        RECEIVES_CRITICAL,
        "slipring/administer",
        "slipring/oversee",
    }
)
# Of SMART App Launch: they say something about the sign-in of a person instead of about resources.
PERSON_SCOPES = frozenset({"openid", "fhirUser", "launch/patient", "offline_access", "online_access"})
EVERYTHING = "system/*.cruds"
AUDIT_READ = "system/AuditEvent.rs"
# These change what a write means (history, not work to be done) or show what everybody did, so nobody holds them
# without having asked.
BY_NAME_ONLY = frozenset({"slipring/import", "slipring/record-late", AUDIT_READ})
# What loading needs: kept ids, and history that nobody works on again.
LOADING = f"{EVERYTHING} slipring/import"


def covers(registered: str, asked: str) -> bool:
    """Whether one registered scope includes one asked scope: its interactions, and its limits or narrower ones.

    >>> covers("system/*.cruds", "system/Patient.rs"), covers("system/Patient.rs", "system/Patient.cruds")
    (True, False)
    >>> covers("system/Observation.rs?category=a,b", "system/Observation.r?category=a&code=c")
    True
    >>> covers("system/Observation.rs?category=a", "system/Observation.rs")
    False
    """
    if registered == asked:
        return True
    have, want = grant_of(registered), grant_of(asked)
    if not have or not want:
        return False
    return (
        have.context == want.context
        and (have.type == want.type or (have.type == "*" and want.type not in BY_TYPE_ONLY))
        and set(want.letters) <= set(have.letters)
        and all(_kept(limit, want) for limit in have.parameters)
    )


def _kept(limit: tuple[str, str], asked: Grant) -> bool:
    """Whether an asked scope keeps a limit: by the same one, or by one with fewer of its alternatives."""
    name, text = limit
    if limit in asked.parameters:
        return True
    if ":" in name:  # `not`, `missing`: fewer values would not be less
        return False
    values = set(split(text, ","))
    return any(other == name and set(split(value, ",")) <= values for other, value in asked.parameters)


def well_formed(scope: str) -> bool:
    """Whether this is a scope we know how to grant."""
    return fault_of(scope) is None


def fault_of(scope: str) -> str | None:
    """Why a scope cannot be granted; None when it can."""
    return None if scope in EXTRA_SCOPES else scope_fault(scope)


def outside(asked: Iterable[str], registered: Iterable[str]) -> list[str]:
    """The asked scopes that nothing registered includes."""
    have = list(registered)
    return [scope for scope in asked if not any(covers(one, scope) for one in have)]
