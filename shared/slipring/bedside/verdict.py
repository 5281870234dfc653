"""What the gate says of an administration that is not asked for yet: `MedicationAdministration/$check`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from slipring.bedside.injecting import Objection, objection_of
from slipring.department.findings import Found, found_in
from slipring.department.names import Pair, concept_words
from slipring.department.road import Hand, Tree


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether contrast may be given, everything that was found, and who may pass it."""

    permitted: bool
    found: Sequence[Found] = ()
    objections: dict[str, Objection] | None = None  # by id of the finding
    refused: Sequence[Pair] = ()  # why the override does not stand

    @property
    def against(self) -> list[Found]:
        """What stands against it."""
        return [one for one in self.found if one.open and one.weight in ("stop", "ask")]

    @property
    def passed(self) -> list[Found]:
        """What stands against it and is passed by the override that was sent with the question."""
        return [one for one in self.found if not one.open and one.weight in ("stop", "ask")]

    @property
    def noted(self) -> list[Found]:
        """What is only to be known."""
        return [one for one in self.found if one.weight not in ("stop", "ask")]


async def verdict_on(hand: Hand, administration: Tree) -> Verdict | None:
    """The verdict; None when the person's roles do not open it."""
    said = await hand.called_if_allowed(
        "MedicationAdministration/$check", [{"name": "administration", "resource": administration}]
    )
    if said is None:
        return None
    issues = [part["resource"] for part in said if part["name"] == "issue"]
    return Verdict(
        permitted=any(part.get("valueBoolean") is True for part in said if part["name"] == "permitted"),
        found=found_in(issues),
        objections={str(one["id"]): objection_of(one) for one in issues},
        refused=[concept_words(part["valueCodeableConcept"]) for part in said if part["name"] == "overrideRefused"],
    )
