"""A round of tests of a scanner as a Task: its states, its values, who entered and who approved it. Pure."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

from slipring.fhir.outcome import FhirError, conflict
from slipring.fhir.service import CANONICAL, Resource, Save, Stored, successor
from slipring.rules.lifecycle import IllegalMove, load_table, move

from slipring_order.mapping_record import INPUT_SYSTEM
from slipring_order.nonconformity import department_task
from slipring_order.offer.words import in_english
from slipring_order.reading import codes, has_code, instant, reference_of
from slipring_order.resources import TASK_CODE_SYSTEM
from slipring_order.rooms.measured import KIND_SYSTEM
from slipring_order.rooms.scanner_standard import editions, kinds

ROUND = "qc-round"
ROUND_SYSTEM = f"{CANONICAL}/sid/qc-round"  # on each value: the round that it was measured in
STATE_SYSTEM = f"{CANONICAL}/CodeSystem/qc-round-state"
EDITION_SYSTEM = f"{CANONICAL}/CodeSystem/scanner-standard"
OUTPUT_SYSTEM = f"{CANONICAL}/CodeSystem/task-output"
MEASURED, ENTERED, APPROVED = "measured", "entered", "approved"
DECISIONS = ("approved", "repeat", "rejected")
CLAUSE = "CL02-A011:5.6.2.3"
_FILE = Path(__file__).with_name("life.toml")
_TABLE = load_table(_FILE)


def is_round(task: Resource) -> bool:
    """Whether a Task is a round of tests."""
    return has_code(task.get("code"), TASK_CODE_SYSTEM, ROUND)


def state_of(task: Resource) -> str:
    """Where a round stands."""
    return next(iter(codes(task.get("businessStatus"))), "")


def names() -> Mapping[str, Mapping[str, str]]:
    """Every state with its names, `zh` and `en`."""
    return dict(_file()["names"])


def new_round(
    *, id: str, scanner: str, kind: str, edition: str, state: str, who: str, at: str, now: datetime
) -> Resource:
    """A round of this kind on a scanner, held against an edition; `at`: when it was measured."""
    said, by = kinds()[kind], editions().get(edition, {"zh": edition, "en": edition})
    task = department_task(
        ROUND, id=id, zh=f"CT 质控：{said['zh']}", en=f"Quality control of a scanner: {said['en']}", clause=CLAUSE,
        about=scanner, now=now, who=who,
    )  # fmt: skip
    given = [
        _input("test-kind", {"valueCodeableConcept": _concept(KIND_SYSTEM, kind, said["zh"])}),
        _input("standard", {"valueCodeableConcept": _concept(EDITION_SYSTEM, edition, by["zh"])}),
    ]
    owner = {"owner": {"reference": who}} if who else {}
    return {**task, **members(state, now), **owner, "executionPeriod": {"end": at}, "input": given}


def members(state: str, now: datetime) -> dict[str, Any]:
    """The members of the Task that follow from its state."""
    said = names()[state]
    return {
        "status": _file()["status"][state],
        "businessStatus": {
            "coding": [{"system": STATE_SYSTEM, "code": state, "display": said["zh"]}],
            "text": said["zh"],
            "_text": in_english(said["en"]),
        },
        "lastModified": instant(now),
    }


def moved(task: Stored, event: str, now: datetime, **more: Any) -> Save:
    """The round after an event; 409 with what is legal now where it cannot happen."""
    try:
        state = move(_TABLE, state_of(task.resource), event)
    except IllegalMove as refused:
        raise _illegal(refused) from refused
    return successor(task, **members(state, now), **more)


def given(task: Resource, name: str) -> Any:
    """The value of an input, or None."""
    for entry in task.get("input", []):
        if name in codes(entry.get("type")):
            return next((value for member, value in entry.items() if member.startswith("value")), None)
    return None


def kind_of(task: Resource) -> str:
    """The kind of test of a round."""
    return next(iter(codes(given(task, "test-kind"))), "")


def with_input(task: Resource, name: str, reference: str) -> list[Resource]:
    """The inputs with one more reference."""
    return [*task.get("input", []), _input(name, {"valueReference": {"reference": reference}})]


def with_outputs(task: Resource, name: str, references: Sequence[str]) -> list[Resource]:
    """The outputs with these references more."""
    kind = {"coding": [{"system": OUTPUT_SYSTEM, "code": name}]}
    return [
        *task.get("output", []),
        *({"type": kind, "valueReference": {"reference": one}} for one in references),
    ]


def outputs(task: Resource, name: str) -> list[str]:
    """The references of the outputs of a name."""
    found = (one for one in task.get("output", []) if name in codes(one.get("type")))
    return [reference_of(one.get("valueReference")) for one in found]


def _concept(system: str, code: str, display: str) -> Resource:
    return {"coding": [{"system": system, "code": code, "display": display}]}


def _input(name: str, value: Resource) -> Resource:
    return {"type": {"coding": [{"system": INPUT_SYSTEM, "code": name}]}, **value}


def _illegal(refused: IllegalMove) -> FhirError:
    known = names()
    said = known.get(refused.state, {"zh": refused.state, "en": refused.state})
    legal = ", ".join(line.event for line in refused.legal if line.by != "service") or "-"
    return conflict(
        f"A round that is {said['en']} takes no {refused.event}. Legal now: {legal}.",
        f"该轮质控处于“{said['zh']}”，不能执行 {refused.event}。现在可执行：{legal}。",
        at="Task.businessStatus",
        detail="order.qc-round-state",
    )


@cache
def _file() -> Mapping[str, Any]:
    with _FILE.open("rb") as file:
        return tomllib.load(file)
