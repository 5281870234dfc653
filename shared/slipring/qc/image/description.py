"""What is known of phantoms: how the regions lie, of what the inserts are, how ramps rise. Data, dated and sourced."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

_FILE = Path(__file__).parent / "phantoms.toml"


@dataclass(frozen=True, slots=True)
class Description:
    """The tables of phantoms.toml."""

    water: dict[str, float]
    materials: tuple[dict[str, Any], ...]
    ramps: dict[str, float]
    phantoms: dict[str, dict[str, Any]]
    low_contrast: dict[str, Any]
    flags: dict[str, float]

    def with_ramps(self, rise_deg: float) -> Description:
        """The same of a phantom whose ramps rise otherwise."""
        return replace(self, ramps=self.ramps | {"rise_deg": rise_deg})


@cache
def described() -> Description:
    """The description shipped with the library."""
    tree = tomllib.loads(_FILE.read_text("utf-8"))
    plain = {name: value for name, value in tree["water"].items() if isinstance(value, int | float)}
    flags = {name: value for name, value in tree["flags"].items() if isinstance(value, int | float)}
    return Description(plain, tuple(tree["material"]), tree["ramps"], tree["phantom"], tree["low-contrast"], flags)
