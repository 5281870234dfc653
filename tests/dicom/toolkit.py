"""DCMTK as the other side: a second implementation, whose commands are skipped with a reason where they are absent."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

WANTED = ("echoscu", "findscu", "storescu", "dcmdump", "dump2dcm")
ABSENT = [name for name in WANTED if shutil.which(name) is None]
needs_toolkit = pytest.mark.skipif(bool(ABSENT), reason=f"DCMTK is not installed: no {', '.join(ABSENT)}")


@dataclass(frozen=True)
class Said:
    """How a command of the toolkit ended, and everything it said."""

    code: int
    text: str


def scu(command: str, port: int, *arguments: str | Path, calling: str = "CT1", called: str = "SLIPRING") -> Said:
    """Run a command of the toolkit against our port."""
    titles = ["-aet", calling, "-aec", called]
    ran = subprocess.run(
        [command, *titles, "127.0.0.1", str(port), *map(str, arguments)],
        capture_output=True,
        timeout=60,
        check=False,
    )
    return Said(ran.returncode, (ran.stdout + ran.stderr).decode("utf-8", "replace"))
