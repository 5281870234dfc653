"""Which resource a write is about: one named by its id, or the one that criteria find (FHIR R4 http 3.1.0.4 to 3.1.0.8)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

from slipring.fhir.act import Act, perform, perform_locked
from slipring.fhir.intent import Written
from slipring.fhir.interactions import standing
from slipring.fhir.interactions.asked import Asked
from slipring.fhir.interactions.references import criteria_of
from slipring.fhir.kernel import Context, Kernel
from slipring.fhir.search.criteria import Criteria
from slipring.fhir.sight import conditional
from slipring.fhir.store import reading
from slipring.fhir.store.reading import Reader, Row

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Aim:
    """A type with an id or with criteria."""

    type: str
    id: str = ""
    criteria: Criteria | None = None

    @staticmethod
    def of(kernel: Kernel, resource_type: str, resource_id: str, asked: Asked) -> Aim:
        """The aim of an address: `Type/id`, or `Type?criteria`; 400 when it chooses nothing."""
        if resource_id:
            asked.only()
            return Aim(resource_type, resource_id)
        return Aim(resource_type, criteria=criteria_of(kernel, resource_type, asked.criteria()))

    async def find(self, kernel: Kernel, context: Context, reader: Reader) -> str:
        """The id, "" when nothing matches that the caller may see; several matches are 412."""
        if self.criteria is None:
            return self.id
        held = await the_only(kernel, context, reader, self.criteria)
        return held.id if held else ""

    async def perform(
        self, kernel: Kernel, decide: Callable[[Reader], Awaitable[tuple[Act, T]]]
    ) -> tuple[Act, list[Written], T]:
        """Decide and commit; by criteria under their lock, so that those who ask the same come one after the other."""
        if self.criteria is None:
            return await perform(kernel, lambda: decide(kernel.store.pool))
        return await perform_locked(kernel, [lock_of(self.criteria)], decide)


def lock_of(criteria: Criteria) -> str:
    """The one lock of everything that creates or changes by these criteria."""
    return f"if-none-exist {criteria.canonical()}"


async def the_only(kernel: Kernel, context: Context, reader: Reader, criteria: Criteria, at: str = "") -> Row | None:
    """The one match among what is kept here for the caller, None when there is none, 412 when there are several."""
    held = await reading.search(reader, conditional(kernel, context, criteria), source="", limit=2)
    if len(held) > 1:
        raise standing.several(criteria.type, at)
    return held[0] if held else None
