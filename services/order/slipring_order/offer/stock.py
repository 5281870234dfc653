"""At start: bring the shipped exams and protocols into the department's store, and leave the department's own alone."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from itertools import chain, repeat

import structlog
from slipring.fhir.beside import Inside, Sign
from slipring.fhir.caller import itself
from slipring.fhir.service import Changes, Desk, Resource

from slipring_order.offer.defined import EXAM_NUMBER
from slipring_order.offer.protocols import PROTOCOL_NUMBER
from slipring_order.offer.shipped import print_in, reference_to, shipped, to_store

_LOG = structlog.get_logger("slipring.order")
_AGAIN_SECONDS = (1.0, 5.0, 30.0, 300.0)
_TOGETHER = 40  # to a commit: the loop stays free for requests in between


class Stock:
    """Implements `slipring.fhir.beside.Beside`: one pass after the start, then nothing."""

    def __init__(self, inside: Inside) -> None:
        self._inside = inside
        self._pass: asyncio.Task[None] | None = None
        self._failed = False

    async def start(self) -> None:
        """Begin the pass behind the start."""
        self._pass = asyncio.create_task(self._bring())

    async def stop(self) -> None:
        """Leave off: what is missing is brought at the next start."""
        if self._pass is not None:
            self._pass.cancel()
            await asyncio.gather(self._pass, return_exceptions=True)

    def signs(self) -> Iterable[Sign]:
        """Whether the pass was whole."""
        yield Sign("catalogue:shipped", "warn" if self._failed else "pass", float(not self._failed))

    async def _bring(self) -> None:
        for wait in chain(_AGAIN_SECONDS, repeat(_AGAIN_SECONDS[-1])):
            try:
                stored = await bring(self._inside)
                break
            except Exception as error:  # whatever it was, what is missing is brought by the next try
                self._failed = True
                _LOG.warning("catalogue not brought", kind=type(error).__name__)
                await asyncio.sleep(wait)
        self._failed = False
        if stored:
            _LOG.info("catalogue brought", resources=stored)


async def bring(inside: Inside) -> int:
    """Store what is absent and renew what is still as shipped; how many resources were written."""
    release = await asyncio.to_thread(shipped)  # read and written out for 100 ms: requests are answered meanwhile
    due = await inside.look(itself("order"), "ActivityDefinition", ["identifier"], lambda desk: _due(release, desk))
    groups = [due[begin : begin + _TOGETHER] for begin in range(0, len(due), _TOGETHER)]
    return sum([await _bring_some(inside, some) for some in groups])


async def _due(release: Sequence[Resource], desk: Desk) -> tuple[list[Resource], Sequence[str]]:
    """What is not stored as this release has it, whoever's doing that is."""
    found = await desk.search(f"ActivityDefinition?identifier={EXAM_NUMBER}|")
    found += await desk.search(f"PlanDefinition?identifier={PROTOCOL_NUMBER}|")
    standing = {one.reference: print_in(one.resource) for one in found}
    return [one for one in release if standing.get(reference_to(one)) != print_in(one)], ()


async def _bring_some(inside: Inside, some: Sequence[Resource]) -> int:
    async def decide(desk: Desk) -> Changes:
        references = [reference_to(one) for one in some]
        found = {reference: await desk.read(reference) for reference in references}
        standing = {reference: stored for reference, stored in found.items() if stored is not None}
        missing = [reference for reference in references if reference not in standing]
        gone = [reference for reference in missing if await desk.read_version(reference, 1) is not None]
        return Changes(save=list(to_store(some, standing, frozenset(gone))))

    changes = await inside.act(itself("order"), "ActivityDefinition", decide)
    return len(changes.save)
