"""The people whom records name, for a page to call them by their names."""

from __future__ import annotations

from collections.abc import Sequence

from slipring.department import names
from slipring.department.road import Hand, Tree


async def people_named(hand: Hand, references: Sequence[str]) -> dict[str, Tree]:
    """The practitioners of these references, as far as they are known to whoever looks."""
    ids = sorted({one.rpartition("/")[2] for one in references if one.startswith("Practitioner/")})
    return {f"Practitioner/{one['id']}": one for one in await hand.about("Practitioner", "_id", ids) or []}


def called(person: Tree | None) -> tuple[str, str]:
    """A practitioner's name and number."""
    identifiers: Sequence[Tree] = (person or {}).get("identifier", [])
    return names.person(person), next((str(one["value"]) for one in identifiers if one.get("value")), "")
