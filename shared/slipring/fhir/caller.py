"""Who calls: what a verified access token says, and what it allows (SMART App Launch 2.x scopes)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

_SCOPE = re.compile(r"^(?:system|user)/(\*|[A-Za-z]+)\.(\*|read|write|c?r?u?d?s?)$")
_LETTERS = {"*": "cruds", "read": "rs", "write": "cud"}


@dataclass(frozen=True, slots=True)
class Caller:
    """The client behind a request; `practitioner` is set when it acts for one person (`fhirUser`)."""

    client: str
    scopes: frozenset[str] = frozenset()
    practitioner: str | None = None  # "Practitioner/o-..."

    def allows(self, resource_type: str, letter: str) -> bool:
        """Whether a scope grants one of c, r, u, d, s on this type."""
        return any(letter in letters for letters in _letters_for(self.scopes, resource_type))

    def has(self, scope: str) -> bool:
        """Whether an extra scope such as `slipring/import` was granted; never implied by `system/*`."""
        return scope in self.scopes


def _letters_for(scopes: Iterable[str], resource_type: str) -> Iterable[str]:
    for scope in scopes:
        match = _SCOPE.match(scope)
        if match and match[1] in ("*", resource_type):
            yield _LETTERS.get(match[2], match[2])


# The service itself, e.g. when a timer fires: it writes under its own name.
def itself(service: str) -> Caller:
    """The caller that stands in the audit row when a service acts by itself."""
    return Caller(client=f"slipring-{service}", scopes=frozenset({"system/*.cruds"}))
