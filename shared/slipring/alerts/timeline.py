"""What happened to a case, line by line, as a page tells it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from slipring.department import names
from slipring.department.road import Hand
from slipring.department.staff import people_named


@dataclass(frozen=True, slots=True)
class Happened:
    """One line of a case's timeline."""

    what: str
    at: datetime
    who: str
    step: str
    medium: str
    outcome: str


async def happened(hand: Hand, case_id: str) -> list[Happened]:
    """Everything that happened, top to bottom."""
    answer = await hand.called(f"Task/{case_id}/$timeline", [])
    every = [{str(part["name"]): part for part in one["part"]} for one in answer["parameter"] if one["name"] == "event"]
    people = await people_named(hand, [str(one.get("who", {}).get("valueString", "")) for one in every])
    lines = []
    for one in every:
        who = str(one.get("who", {}).get("valueString", ""))
        round_, step = one.get("round", {}).get("valueInteger"), one.get("step", {}).get("valueInteger")
        lines.append(
            Happened(
                what=str(one["what"]["valueCode"]),
                at=datetime.fromisoformat(str(one["when"]["valueInstant"])),
                who=names.person(people.get(who)) or who,
                step=f"{round_}.{step}" if round_ else "",
                medium=str(one.get("medium", {}).get("valueCode", "")),
                outcome=str(one.get("outcome", {}).get("valueString") or one.get("outcome", {}).get("valueCode") or ""),
            )
        )
    return lines
