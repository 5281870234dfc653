"""The files of the repository, without what tools and Python leave in it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
_LEFT_OVER = {".git", ".venv", "__pycache__", ".hypothesis", ".pytest_cache", "dist"}


def files(*suffixes: str) -> Iterator[Path]:
    """Every file of ours with one of these suffixes; all of them without any."""
    for folder, folders, names in os.walk(ROOT):
        folders[:] = [name for name in folders if name not in _LEFT_OVER and not name.endswith(("_cache", ".egg-info"))]
        yield from (Path(folder) / name for name in names if not suffixes or name.endswith(suffixes))
