"""Exams that were made in the quarter and come in as history: the records of an exam that was lived, of another patient and day."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from .living import Exam, Quarter
from .loading import loaded
from .papers import patient
from .standing import urn

Tree = dict[str, Any]
Change = Callable[[Tree], None]  # what goes wrong in one of the records
_FILLER = "FILL"
_CONSENT = ("screening", "consent", "given", "watch")
_DATED = re.compile(r"2026-\d\d-\d\d(?=T)")


@dataclass
class Records:
    """What was written of one exam, by the name of each record within it."""

    held: dict[str, Tree] = field(default_factory=dict)
    day: date = date.min
    number: str = ""  # the imaging number
    order: str = ""  # the HIS' number


async def of(exam: Exam) -> Records:
    """The records of an exam that was lived, as they are kept."""
    department = exam.department
    request = await department.get(exam.cast.exam)
    task = await exam.task()
    number = exam.cast.imaging_number
    held = {"patient": exam.cast.patient, "request": request, "exam": task}
    for one in await department.found(f"GuidanceResponse?request={number}"):
        held[f"guidance {len(held)}"] = one
    if exam.given:
        [held["screening"]] = await department.found(f"QuestionnaireResponse?based-on={exam.cast.exam}")
        [held["consent"]] = await department.found(f"Consent?data={exam.cast.exam}")
        held["given"] = await department.get(exam.given)
        [held["watch"]] = await department.found(f"Task?focus={exam.given}&code=observation")
    order = next(i["value"] for i in request["identifier"] if i["system"].endswith("/his-order"))
    return Records(held, date.fromisoformat(task["executionPeriod"]["start"][:10]), number, order)


def again(
    records: Records, number: int, day: int, changes: dict[str, Change] | None = None, without: tuple[str, ...] = ()
) -> list[tuple[str, Tree]]:
    """The same of another patient on another day of the quarter, each record with what is changed in it, some left out."""
    wanted = date(2026, 7, 1) + timedelta(days=day - 1)
    held = {name: one for name, one in records.held.items() if name not in without}
    held["patient"] = patient(number)
    named = {f"{one['resourceType']}/{one['id']}": urn(f"{number} {name}") for name, one in records.held.items()}
    found = []
    for name, one in held.items():
        text = json.dumps({key: value for key, value in one.items() if key not in ("id", "meta")})
        for old, new in named.items():
            text = text.replace(f'"{old}"', f'"{new}"')
        text = text.replace(records.number, f"CT{wanted:%Y%m%d}{number:06d}").replace(records.order, f"HIS-Q{number}")
        moved = json.loads(_DATED.sub(lambda at: str(date.fromisoformat(at[0]) + (wanted - records.day)), text))
        for given in moved.get("identifier", []):
            if _FILLER in (coding["code"] for coding in given.get("type", {}).get("coding", [])):
                given["value"] = f"Q-{number}"
        if changes and name in changes:
            changes[name](moved)
        found.append((f"{number} {name}", moved))
    return found


async def brought(quarter: Quarter, papers: list[tuple[str, Tree]]) -> dict[str, str]:
    """Load it, each service's own together; the references by `number name`."""
    text: dict[bool, str] = {}
    for of_consent in (False, True):
        mine = [(name, one) for name, one in papers if (name.split(maxsplit=1)[1] in _CONSENT) == of_consent]
        text[of_consent] = json.dumps(mine)
    made = await loaded(quarter.department, json.loads(text[False]))
    for name, place in made.items():
        text[True] = text[True].replace(f'"{urn(name)}"', f'"{place}"')
    if of_consent_too := json.loads(text[True]):
        made |= await loaded(quarter.department, of_consent_too)
    quarter.at |= made
    return made
