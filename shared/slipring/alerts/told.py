"""What a receiver is told, as `Task/[id]/$told` says it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from slipring.alerts.open_cases import RINGING
from slipring.department import names
from slipring.department.names import Pair
from slipring.department.road import Hand, Tree


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding of the exam that waits."""

    said: Mapping[str, Any]
    choices: Sequence[tuple[str, Pair]]
    notes: Sequence[str]

    @property
    def case(self) -> str:
        """The id of its case."""
        return names.reference_in(self.said.get("case")).rpartition("/")[2]

    @property
    def state(self) -> str:
        """Where it stands."""
        return str(self.said["state"])

    @property
    def words(self) -> Pair:
        """What was found."""
        return str(self.said["zh"]), str(self.said["en"])

    @property
    def level(self) -> str:
        """1, 2 or 3."""
        return str(self.said["level"])

    @property
    def since(self) -> datetime | None:
        """Since when."""
        return names.moment(self.said["since"])

    @property
    def drill(self) -> bool:
        """Whether nobody is ill."""
        return self.said["drill"] is True

    @property
    def to_read_back(self) -> bool:
        """Whether it waits for a read-back."""
        return self.state in RINGING or self.state == "reopened"

    @property
    def to_act(self) -> bool:
        """Whether it waits for what was done."""
        return self.state in ("read-back-confirmed", "reopened", "acknowledged")

    @property
    def mismatches(self) -> int:
        """Wrong read-backs since somebody was rung."""
        return int(self.said["mismatches"])

    def offered(self, practitioner: str) -> bool:
        """Whether this person was asked to take it on."""
        return bool(practitioner) and self.said.get("offeredTo") == practitioner

    def owned(self, practitioner: str) -> bool:
        """Whether it is this person's."""
        return bool(practitioner) and self.said.get("owner") == practitioner


@dataclass(frozen=True, slots=True)
class Told:
    """Whom it is about, and every open finding of the exam."""

    about: Mapping[str, str]
    findings: Sequence[Finding]

    @property
    def drill(self) -> bool:
        """Whether nobody is ill."""
        return any(one.drill for one in self.findings)

    def of(self, case: str) -> Finding | None:
        """The finding of one case."""
        return next((one for one in self.findings if one.case == case), None)


async def told(hand: Hand, case: str) -> Told:
    """Ask for it; what the person may not be told is refused there."""
    answer = await hand.called(f"Task/{case}/$told", [])
    about, findings = {}, []
    for one in answer.get("parameter", []):
        if "part" in one:
            findings.append(_finding(one["part"]))
        else:
            about[str(one["name"])] = str(one.get("valueString", ""))
    return Told(about, findings)


def _finding(parts: Sequence[Tree]) -> Finding:
    said = {str(part["name"]): _value(part) for part in parts if "part" not in part and part["name"] != "note"}
    choices = [{str(each["name"]): str(_value(each)) for each in part["part"]} for part in parts if "part" in part]
    notes = [str(_value(part)) for part in parts if part["name"] == "note"]
    return Finding(said, [(one["code"], (one["zh"], one["en"])) for one in choices], notes)


def _value(part: Tree) -> Any:
    return next((value for name, value in part.items() if name.startswith("value")), "")
