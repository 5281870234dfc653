"""The numbers of signing in, read from `signing_in.toml`."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Figures:
    """One dated set; the file says where each number comes from."""

    shortest: int
    longest: int
    fewest_different: int
    time_cost: int
    memory_kib: int
    parallelism: int
    hashes_at_once: int
    free_failures: int
    delays: tuple[timedelta, ...]
    failures_forgotten_after: timedelta
    session_idle: timedelta
    session_longest: timedelta
    code_lives: timedelta
    refresh_lives: timedelta
    pin_shortest: int
    pin_tries: int
    pin_good: timedelta


@cache
def the_figures() -> Figures:
    """The shipped numbers."""
    data = tomllib.loads((Path(__file__).parent / "signing_in.toml").read_text(encoding="utf-8"))
    password, hashed, lockout, session, token, pin = (
        data[part] for part in ("password", "hash", "lockout", "session", "token", "pin")
    )
    return Figures(
        shortest=password["shortest"],
        longest=password["longest"],
        fewest_different=password["fewest_different"],
        time_cost=hashed["time_cost"],
        memory_kib=hashed["memory_kib"],
        parallelism=hashed["parallelism"],
        hashes_at_once=hashed["at_once"],
        free_failures=lockout["free"],
        delays=tuple(timedelta(seconds=seconds) for seconds in lockout["seconds"]),
        failures_forgotten_after=timedelta(hours=lockout["forgotten_after_hours"]),
        session_idle=timedelta(minutes=session["idle_minutes"]),
        session_longest=timedelta(hours=session["longest_hours"]),
        code_lives=timedelta(seconds=token["code_seconds"]),
        refresh_lives=timedelta(days=token["refresh_days_offline"]),
        pin_shortest=pin["shortest"],
        pin_tries=pin["tries"],
        pin_good=timedelta(minutes=pin["good_minutes"]),
    )
