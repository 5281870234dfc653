"""The Prefer header (RFC 7240) as far as FHIR R4 gives it a meaning: `return` and `handling`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache

_RETURN = {"minimal": "minimal", "representation": "representation", "operationoutcome": "OperationOutcome"}
_HANDLING = {"strict": "strict", "lenient": "lenient"}
_MEANT = {"return": _RETURN, "handling": _HANDLING}
_PREFERENCE = re.compile(r'\s*([!#$%&\'*+.^_`|~0-9A-Za-z-]+)\s*(?:=\s*("(?:[^"\\]|\\.)*"|[^\s,;"]*))?[^,]*(?:,|$)')
_LONGEST = 1000


@lru_cache(maxsize=256)
def preferences(header: str) -> Mapping[str, str]:
    """What of a Prefer header is understood; the rest is ignored, and of repeats the first one counts (RFC 7240, 2).

    >>> dict(preferences('respond-async, return="minimal"; foo=1, handling=lenient, return=representation'))
    {'return': 'minimal', 'handling': 'lenient'}
    """
    found: dict[str, str] = {}
    for match in _PREFERENCE.finditer(header[:_LONGEST]):
        name, value = match[1].lower(), (match[2] or "").strip('"').lower()
        meant = _MEANT.get(name, {}).get(value)
        if meant is not None:
            found.setdefault(name, meant)
    return found
