"""What a patient shows and says at the desk and before the scan, as a form takes it and an operation asks for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from slipring.department.names import plain
from slipring.department.road import Hand, Tree
from slipring.fhir.outcome import unprocessable

# Parameter of the operation -> field of the form.
FIELDS = {
    "identifier": "identifier", "name": "name", "birthDate": "birth_date", "unidentified": "unidentified",
    "attendant": "attendant", "critical": "critical", "note": "note", "item": "item", "pregnancy": "pregnancy",
}  # fmt: skip
_WORDS = ("identifier", "name", "birth_date", "attendant", "note", "pregnancy")
_TICKS = ("unidentified", "critical", "item_confirmed", "parameters_set", "plain_instead")


@dataclass(frozen=True, slots=True)
class Shown:
    """What stands in the form."""

    identifier: str = ""
    name: str = ""
    birth_date: str = ""
    attendant: str = ""
    note: str = ""
    pregnancy: str = ""
    unidentified: bool = False
    critical: bool = False
    item_confirmed: bool = False
    parameters_set: bool = False
    plain_instead: bool = False

    @classmethod
    def of(cls, form: Mapping[str, str]) -> Shown:
        """From the fields of the form."""
        words = {name: form.get(name, "").strip() for name in _WORDS}
        ticks = {name: bool(form.get(name)) for name in _TICKS}
        return cls(**words, **ticks)  # type: ignore[arg-type]

    @property
    def says_who(self) -> bool:
        """Whether anything was shown or said of who it is."""
        return bool(self.identifier or self.name or self.birth_date or self.unidentified)

    @property
    def items(self) -> list[str]:
        """What is confirmed of the check list."""
        said = {
            "identity-confirmed": self.says_who,
            "item-confirmed": self.item_confirmed,
            "parameters-set": self.parameters_set,
            "pregnancy-asked": bool(self.pregnancy),
            "plain-instead": self.plain_instead,
        }
        return [item for item, holds in said.items() if holds]


async def shown_call(hand: Hand, given: Shown) -> list[Tree]:
    """The parameters that say who it is, who stays with him, and what else is noted."""
    found: list[Tree] = []
    if given.identifier:
        found.append({"name": "identifier", "valueIdentifier": {"value": given.identifier}})
    if given.name:
        found.append({"name": "name", "valueString": given.name})
    if given.birth_date:
        found.append({"name": "birthDate", "valueDate": given.birth_date})
    if given.unidentified:
        found.append({"name": "unidentified", "valueBoolean": True})
    if given.critical:
        found.append({"name": "critical", "valueBoolean": True})
    if given.attendant:
        found.append(
            {"name": "attendant", "valueReference": {"reference": await staff_numbered(hand, given.attendant)}}
        )
    if given.note:
        found.append({"name": "note", "valueString": given.note})
    return found


def check_call(given: Shown, shown: list[Tree]) -> list[Tree]:
    """The parameters of `$check`."""
    found: list[Tree] = [{"name": "item", "valueCode": item} for item in given.items]
    if given.pregnancy:
        found.append({"name": "pregnancy", "valueCode": given.pregnancy})
    return [*found, *shown]


async def staff_numbered(hand: Hand, number: str) -> str:
    """The member of staff with this number; one that nobody has is refused beside its field."""
    found = await hand.found("Practitioner", [("identifier", plain(number)), ("active", "true")])
    if len(found) != 1:
        raise unprocessable(
            "No one member of staff has this number.",
            "没有唯一的工作人员使用该工号。",
            at="Parameters.parameter.where(name='attendant')",
            detail="department.no-such-staff-number",
        )
    return f"Practitioner/{found[0]['id']}"
