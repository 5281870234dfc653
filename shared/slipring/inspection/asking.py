"""What the commands about clauses share: the period, the signs of progress, and how they give up."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import NoReturn

import typer

from slipring.verdicts.period import Period, read_period

_NOT_ASKED = 2
_BETWEEN_SIGNS_S = 2.0


def period_asked(text: str) -> Period | None:
    """The period that an option says; none where it says nothing."""
    try:
        return read_period(text) if text else None
    except ValueError as problem:
        raise typer.BadParameter(str(problem), param_hint="--period") from None


def signs() -> Callable[[int, int], None]:
    """A sign on stderr every two seconds of how many are done."""
    shown_at = time.monotonic()

    def tell(done: int, of: int) -> None:
        nonlocal shown_at
        if time.monotonic() - shown_at >= _BETWEEN_SIGNS_S:
            shown_at = time.monotonic()
            sys.stderr.write(f"{done}/{of}\n")

    return tell


def stop(message: str) -> NoReturn:
    """Nothing was asked, and why."""
    typer.echo(message, err=True)
    raise typer.Exit(_NOT_ASKED)
