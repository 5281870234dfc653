"""What a service may run beside its HTTP addresses, such as a port of another protocol, and the way in that it has.

It decides and commits like a handler: it reads from a `Desk`, returns `Changes`, and never writes on its own.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Literal, Protocol, TypeVar

from slipring.fhir.caller import Caller
from slipring.fhir.service import Changes, Desk

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Sign:
    """One thing to look at in `/health/engine`: `name` is component:measurement, `about` which one."""

    name: str
    status: Literal["pass", "warn", "fail"]
    value: float
    unit: str = ""
    about: str = ""


@dataclass(frozen=True, slots=True)
class Seen:
    """One thing that the doctor sees without a running process; `code` names its words."""

    code: str
    level: Literal["ok", "warn", "bad"]
    about: str = ""
    seen: str = ""


class Inside(Protocol):
    """The way into one service: the same acts, the same commit and the same audit as for its HTTP addresses."""

    data_dir: Path
    demo: bool

    @property
    def settings(self) -> Any:
        """The service's own settings."""

    def now(self) -> datetime:
        """The present moment, aware."""

    async def act(self, caller: Caller, touched: str, decide: Callable[[Desk], Awaitable[Changes]]) -> Changes:
        """Decide and commit; on the trail as an operation on `touched`."""

    async def look(
        self,
        caller: Caller,
        touched: str,
        names: Sequence[str],
        ask: Callable[[Desk], Awaitable[tuple[T, Sequence[str]]]],
    ) -> T:
        """Read; on the trail as a search by `names` that disclosed the references which `ask` gives beside its answer."""


class Beside(Protocol):
    """Something that runs as long as the service does."""

    async def start(self) -> None:
        """Begin; an error ends the process with its words."""

    async def stop(self) -> None:
        """End, within a few seconds."""

    def signs(self) -> Iterable[Sign]:
        """How it does, from memory."""
