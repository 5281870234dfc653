"""What a token in a person's name may do: what is asked, what the client may, and what the roles allow, all at once. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import quote

from slipring.fhir.caller import BY_TYPE_ONLY, Grant, grant_of
from slipring.identity.scopes import EXTRA_SCOPES, PERSON_SCOPES, covers

_ORDER = "cruds"


def reach(asked: Iterable[str], client: Iterable[str], roles: Iterable[str]) -> list[str]:
    """The scopes that all three allow; narrower than asked where one of them is.

    >>> reach(["user/*.cruds"], ["user/*.rs"], ["user/Task.crus", "user/Patient.rs"])
    ['user/Patient.rs', 'user/Task.rs']
    >>> reach(["patient/Patient.rs"], ["patient/*.rs"], ["user/Patient.rs"])
    ['patient/Patient.rs']
    """
    wanted, may, allowed = list(asked), list(client), list(roles)
    both = _meets(map(grant_of, wanted), map(grant_of, may))
    found = sorted({_spelled(grant) for grant in _meets(both, map(grant_of, allowed))})
    found = [one for one in found if not any(one != other and covers(other, one) for other in found)]
    named = [one for one in wanted if one in may and (one in PERSON_SCOPES or (one in EXTRA_SCOPES and one in allowed))]
    return list(dict.fromkeys([*found, *named]))


def _meets(some: Iterable[Grant | None], others: Iterable[Grant | None]) -> set[Grant]:
    right = [grant for grant in others if grant]
    return {met for left in some if left for one in right if (met := _meet(left, one))}


def _meet(one: Grant, other: Grant) -> Grant | None:
    """What both grant; nothing in the context of a system, which no person is."""
    if "system" in (one.context, other.context):
        return None
    if "*" not in (one.type, other.type) and one.type != other.type:
        return None
    if one.type != other.type and BY_TYPE_ONLY & {one.type, other.type}:
        return None
    shared = "".join(letter for letter in _ORDER if letter in one.letters and letter in other.letters)
    if not shared:
        return None
    context = "patient" if "patient" in (one.context, other.context) else "user"
    kind = other.type if one.type == "*" else one.type
    return Grant(context, kind, shared, tuple(dict.fromkeys([*one.parameters, *other.parameters])))


def _spelled(grant: Grant) -> str:
    query = "&".join(f"{quote(name, safe=':.-_')}={quote(value, safe='|,:/.-_')}" for name, value in grant.parameters)
    return f"{grant.context}/{grant.type}.{grant.letters}" + (f"?{query}" if query else "")
