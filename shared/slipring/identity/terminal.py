"""What the commands of identity share: one act on the front's schema, and an end in words instead of a traceback."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, NoReturn

import asyncpg
import typer

from slipring.client.token import MissingKeys
from slipring.fhir.store.engine import UNAVAILABLE
from slipring.identity.database import with_front_schema
from slipring.identity.demo import WrongMode
from slipring.identity.people.accounts import NotAnAccount
from slipring.runtime.hindrance import hindrance
from slipring.runtime.postgres import PostgresUnavailable
from slipring.runtime.settings import BadSettings

_TOLD: tuple[type[Exception], ...] = (
    NotAnAccount,
    MissingKeys,
    WrongMode,
    BadSettings,
    PostgresUnavailable,
)


def act_at_front(
    data_dir: Path,
    act: Callable[[asyncpg.Connection, str], Awaitable[Any]],
) -> Any:
    """Run one act on the front's schema; what it refuses is said in its own words."""
    try:
        return with_front_schema(data_dir, act)
    except _TOLD as problem:
        stop(str(problem))
    except Exception as problem:
        if line := hindrance(problem) or (str(problem) if isinstance(problem, UNAVAILABLE) else ""):
            stop(line)
        raise


def scopes_of(given: list[str] | None) -> list[str]:
    """Scopes as options give them: repeated, or several in one text."""
    return [scope for text in given or () for scope in text.split()]


def stop(message: str) -> NoReturn:
    """Say what is wrong and end with code 1."""
    typer.echo(message, err=True)
    raise typer.Exit(1)
