"""A scanner, two people who may stand for its tests, and rounds for tests of the quality programme."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from slipring.fhir.service import Call, Changes, Resource
from slipring_order.handlers.qc_rounds import entered, reviewed
from slipring_order.rooms.scanner_standard import tests

from tests.support.desk import ADesk
from tests.support.ordering import a_desk
from tests.support.rooms import a_scanner
from tests.support.staffing import a_member, held

TESTER, APPROVER = "Practitioner/o-tester", "Practitioner/o-physicist"


def people() -> list[Resource]:
    certificate = held("radiation-worker-certificate", "2020-01-01", "2030-01-01")
    return [
        *a_member("o-tester", "supervising-technologist", certificate, roles=("technologist",)),
        *a_member("o-physicist", "supervising-technologist", certificate, roles=("physicist",)),
        *a_member("o-clerk", "attending-physician", roles=("radiologist",)),
    ]


def a_qc_desk(*more: Resource, **desk: Any) -> ADesk:
    return a_desk(a_scanner(), *people(), *more, **desk)


def value(test: str, number: float, **more: Any) -> Resource:
    """One `value` parameter."""
    parts: list[Resource] = [
        {"name": "test", "valueCode": test},
        {"name": "quantity", "valueQuantity": {"value": number, "code": tests()[test]["units"][0]}},
    ]
    parts += [{"name": name, "valueQuantity": {"value": one, "code": "mm"}} for name, one in more.items()]
    return {"name": "value", "part": parts}


def a_call(target: Any, *given: Resource, who: str = TESTER, **values: tuple[str, Any]) -> Call:
    named = [{"name": name, f"value{kind}": one} for name, (kind, one) in values.items()]
    person = {"name": "performer", "valueReference": {"reference": who}}
    return Call({"resourceType": "Parameters", "parameter": [*named, *given, person]}, target)


async def enter(
    desk: ADesk, *given: Resource, kind: str = "", at: datetime | str = "", scanner: str = "Device/o-ct1",
    who: str = TESTER, **values: tuple[str, Any],
) -> Changes:  # fmt: skip
    if kind:
        values["kind"] = ("Code", kind)
    if at:
        values["at"] = ("DateTime", at if isinstance(at, str) else at.isoformat())
    changes = await entered(a_call(await desk.read(scanner), *given, who=who, **values), desk)
    desk.carry_out(changes)
    return changes


async def settle(desk: ADesk, round: Resource, decision: str, *, who: str = APPROVER, note: str = "") -> Changes:
    values: dict[str, tuple[str, Any]] = {"decision": ("Code", decision)}
    if note:
        values["note"] = ("String", note)
    changes = await reviewed(a_call(await desk.read(f"Task/{round['id']}"), who=who, **values), desk)
    desk.carry_out(changes)
    return changes


def round_of(changes: Changes) -> Resource:
    """The round that an operation answered with."""
    answer = changes.answer or {}
    if answer.get("resourceType") == "Task":
        return answer
    found: Resource = next(one["resource"] for one in answer["parameter"] if one["name"] == "return")
    return found


async def approved(desk: ADesk, *given: Resource, **how: Any) -> Resource:
    """A round that was entered and approved."""
    made = round_of(await enter(desk, *given, **how))
    return round_of(await settle(desk, made, "approved"))
