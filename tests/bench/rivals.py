"""What we are held against: fhirstarter in an environment of its own, and PostgreSQL's own pgbench."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

from slipring.runtime.postgres import ensure_running
from slipring.runtime.postgres_account import choose_account, find_binaries

FHIRSTARTER = "4.2.0"
_AS_OURS = ("fhir.resources", "uvicorn", "uvloop", "httptools")  # of the same versions as we run on
_FOLDER = Path(__file__).parent


class Unavailable(Exception):
    """The rival cannot be had here, and why."""


def fhirstarter_python() -> Path:
    """The Python of fhirstarter's own environment, made in the user's cache on first use."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = cache / "slipring-bench" / f"fhirstarter-{FHIRSTARTER}"
    python, complete = folder / "bin" / "python", folder / ".complete"
    if not complete.exists():
        try:
            subprocess.run([sys.executable, "-m", "venv", "--clear", str(folder)], check=True)
            subprocess.run(
                [
                    python,
                    "-m",
                    "pip",
                    "install",
                    "--quiet",
                    f"fhirstarter=={FHIRSTARTER}",
                    *(f"{name}=={version(name)}" for name in _AS_OURS),
                ],
                check=True,
                timeout=600,
            )
        except (OSError, subprocess.SubprocessError) as error:
            raise Unavailable(f"its environment could not be made ({type(error).__name__})") from error
        complete.touch()
    return python


def fhirstarter_command(port: int) -> list[str]:
    """How to serve it; uvicorn with the same options as ours."""
    python = fhirstarter_python()
    return [
        str(python), "-m", "uvicorn", "fhirstarter_server:app", "--app-dir", str(_FOLDER), "--port", str(port),
        "--log-level", "warning", "--no-access-log",
    ]  # fmt: skip


def pgbench(folder: Path, *, connections: int, seconds: float) -> tuple[str, float]:
    """Version and transactions per second of pgbench's simple-update script on the embedded database."""
    found = _pgbench(folder)
    dsn = ensure_running(folder)
    subprocess.run([found, "--initialize", "--quiet", "--scale=10", dsn], check=True, capture_output=True)
    asked = [f"--client={connections}", "--jobs=2", f"--time={max(1, round(seconds))}", "--builtin=simple-update"]
    ran = subprocess.run([found, *asked, "--protocol=prepared", dsn], check=True, capture_output=True, text=True)
    told = re.search(r"tps = ([\d.]+)", ran.stdout)
    if told is None:
        raise Unavailable("pgbench did not say how many transactions it made")
    named = subprocess.run([found, "--version"], check=True, capture_output=True, text=True).stdout.strip()
    return named, float(told[1])


def _pgbench(folder: Path) -> str:
    beside = find_binaries(choose_account(), folder) / "pgbench"
    found = str(beside) if beside.exists() else shutil.which("pgbench")
    if found is None:
        raise Unavailable("no pgbench beside the embedded PostgreSQL or on the PATH")
    return found
