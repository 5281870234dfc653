"""Where a resource may name another one literally: uri, url, oid and uuid elements, and links of a narrative."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from importlib.resources import files

LINK = re.compile(r"""((?:href|src)\s*=\s*)(["'])([^"']*)\2""")
URI_ELEMENTS = frozenset(
    tomllib.loads(files("slipring.fhir").joinpath("uri_elements.toml").read_text("utf-8"))["names"]
)


def relinked(div: str, changed: Mapping[str, str]) -> str:
    """A narrative with the targets of its links and images replaced."""
    return LINK.sub(lambda m: f"{m[1]}{m[2]}{changed.get(m[3], m[3])}{m[2]}", div)
