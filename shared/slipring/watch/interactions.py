"""Which interaction a request is, in words of a closed list: what metrics and spans are named by. Pure."""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass, field

_BY_METHOD = {
    "GET": "read", "HEAD": "read", "PUT": "update", "PATCH": "patch", "DELETE": "delete", "OPTIONS": "options",
}  # fmt: skip
_OTHER_PLACES = {
    "health": "health", "metrics": "metrics", "auth": "sign-in", "follows": "follow", "follow": "follow",
    "openapi.json": "capabilities", ".well-known": "capabilities", "": "page",
}  # fmt: skip
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_MOST_OPERATIONS = 64


def method_word(method: str) -> str:
    """The method if it is one of HTTP's that are served here, else `other`."""
    return method if method in _METHODS else "other"


@dataclass(slots=True)
class Interactions:
    """Names the requests of one application; `types` are the resource types it knows.

    An operation gets a name of its own once it has been answered well: only what is served can be that.
    """

    types: Container[str]
    _operations: set[str] = field(default_factory=set)

    def of(self, method: str, path: str, status: int) -> tuple[str, str]:
        """Interaction and type of a request below a FHIR base.

        >>> Interactions({"Patient"}).of("GET", "Patient/Zhang-San", 200)
        ('read', 'Patient')
        >>> Interactions({"Patient"}).of("GET", "Zhang/San", 404)
        ('read', 'other')
        """
        steps = [step for step in path.split("/") if step]
        kind = steps[0] if steps and steps[0] in self.types else "other" if steps and steps[0][0].isalpha() else ""
        if steps and steps[-1][0] == "$":
            return self._operation(steps[-1], status), kind
        match steps:
            case []:
                return ("transaction" if method == "POST" else "search"), ""
            case ["metadata"]:
                return "capabilities", ""
            case ["_history"] | [_, "_history"] | [_, _, "_history"]:
                return "history", kind
            case [_, _, "_history", _]:
                return "vread", kind
            case [_, "_search"] | ["_search"]:
                return "search", kind
            case [_]:
                word = {"GET": "search", "HEAD": "search", "POST": "create"}.get(method)
                return word or _BY_METHOD.get(method, "other"), kind
            case [_, _]:
                return _BY_METHOD.get(method, "other"), kind
        return "other", kind

    def _operation(self, name: str, status: int) -> str:
        if name not in self._operations:
            if not 200 <= status < 300 or len(self._operations) >= _MOST_OPERATIONS:
                return "operation"
            self._operations.add(name)
        return name


def place_word(path: str) -> str:
    """What a path outside a FHIR base is for; `path` begins behind the service's name.

    >>> place_word("/health/ready"), place_word("/Zhang/San")
    ('health', 'other')
    """
    first = path.strip("/").partition("/")[0]
    return _OTHER_PLACES.get(first, "other")
