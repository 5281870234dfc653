"""At its start the service looks whether its ladders end at a staffed desk: a setting may have gone since."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import structlog
from slipring.fhir.beside import Inside, Sign
from slipring.fhir.caller import itself
from slipring.fhir.outcome import FhirError
from slipring.fhir.service import Desk

from slipring_critical.directory.desk import desk_looked

_LOG = structlog.get_logger("slipring.critical")


class DeskLook:
    """Once at the start; every write of a route looks again (`guards`)."""

    def __init__(self, inside: Inside) -> None:
        self._inside = inside

    async def start(self) -> None:
        """Open or settle the Task; nothing is written, and nothing on the trail of writes, where it stands right.

        Whatever refuses it, another replica at the same moment say, never keeps the service from ringing.
        """
        try:
            if await self._inside.look(itself("critical"), "Task", ["code"], _is_wrong):
                await self._inside.act(itself("critical"), "Task", desk_looked)
        except FhirError as refused:
            _LOG.warning("staffed desk not looked at", status=refused.status)

    async def stop(self) -> None:
        """Nothing runs."""

    def signs(self) -> Iterable[Sign]:
        """The Task is an alarm of the service."""
        return ()


async def _is_wrong(desk: Desk) -> tuple[bool, Sequence[str]]:
    return not (await desk_looked(desk)).nothing, ()
