"""Which scopes a client may get: what it asks must lie inside what it was registered for. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable

_SCOPE = re.compile(r"^(?P<context>system|user)/(?P<type>\*|[A-Z][A-Za-z]*)\.(?P<letters>\*|read|write|c?r?u?d?s?)$")
_LETTERS = {"*": "cruds", "read": "rs", "write": "cud"}

# Granted one by one, never part of `system/*.cruds` (mechanisms 5).
EXTRA_SCOPES = frozenset(
    {"slipring/import", "slipring/record-late", "slipring/draft-read", "may-receive-critical", "slipring/administer"}
)
EVERYTHING = "system/*.cruds"
# These change what a write means (history, not work to be done), so nobody holds them without having asked.
BY_NAME_ONLY = frozenset({"slipring/import", "slipring/record-late"})
# What loading needs: kept ids, and history that nobody works on again.
LOADING = f"{EVERYTHING} slipring/import"


def covers(registered: str, asked: str) -> bool:
    """Whether one registered scope includes one asked scope.

    >>> covers("system/*.cruds", "system/Patient.rs"), covers("system/Patient.rs", "system/Patient.cruds")
    (True, False)
    """
    if registered == asked:
        return True
    have, want = _SCOPE.match(registered), _SCOPE.match(asked)
    if not have or not want or not want["letters"]:
        return False
    same_context = have["context"] == want["context"]
    same_type = have["type"] in ("*", want["type"])
    return same_context and same_type and set(letters(want["letters"])) <= set(letters(have["letters"]))


def letters(text: str) -> str:
    """The interactions c, r, u, d, s behind a scope's ending."""
    return _LETTERS.get(text, text)


def well_formed(scope: str) -> bool:
    """Whether this is a scope we know how to grant."""
    match = _SCOPE.match(scope)
    return scope in EXTRA_SCOPES or bool(match and match["letters"])


def outside(asked: Iterable[str], registered: Iterable[str]) -> list[str]:
    """The asked scopes that nothing registered includes."""
    have = list(registered)
    return [scope for scope in asked if not any(covers(one, scope) for one in have)]
