"""The data files of this service, read once."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files
from typing import Any


def read_data(*path: str) -> str:
    """The text of one data file, by its path under `data`."""
    return files("slipring_consent").joinpath("data", *path).read_text(encoding="utf-8")


@cache
def data_file(*path: str) -> dict[str, Any]:
    """One TOML data file of this service, read once."""
    return tomllib.loads(read_data(*path))
