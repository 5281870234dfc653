"""The way into one running service for what stands beside its HTTP addresses."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

from slipring.fhir.act import Act, decided, perform
from slipring.fhir.caller import Caller
from slipring.fhir.kernel import Context, Kernel
from slipring.fhir.service import Changes, Desk

T = TypeVar("T")


class LiveInside:
    """Implements `slipring.fhir.beside.Inside` on one kernel."""

    def __init__(self, kernel: Kernel, data_dir: Path) -> None:
        self._kernel = kernel
        self.data_dir = data_dir
        self.demo = kernel.demo

    @property
    def settings(self) -> Any:
        """The service's own settings."""
        return self._kernel.settings

    def now(self) -> datetime:
        """The present moment, aware."""
        return self._kernel.now()

    async def act(self, caller: Caller, touched: str, decide: Callable[[Desk], Awaitable[Changes]]) -> Changes:
        """Decide and commit, again on fresh state when something relied on has changed."""
        kernel, context = self._kernel, Context(caller)

        async def once() -> tuple[Act, Changes]:
            desk = kernel.desk(caller)
            act = Act(kernel, context, desk)
            changes = await decided(act, lambda: decide(desk))
            act.audits.append(context.audit("operation", touched, changes.status))
            return act, changes

        _, _, changes = await perform(kernel, once)
        return changes

    async def look(
        self,
        caller: Caller,
        touched: str,
        names: Sequence[str],
        ask: Callable[[Desk], Awaitable[tuple[T, Sequence[str]]]],
    ) -> T:
        """Read; the row of the trail is written before the answer leaves."""
        context = Context(caller)
        answer, disclosed = await ask(self._kernel.desk(caller))
        row = context.audit("search", touched, disclosed=list(disclosed), parameters=list(names))
        await self._kernel.store.audits.write(row, self._kernel.now())
        return answer
