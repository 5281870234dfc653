"""Order's verdict on protocols: what was made without one that fits the exam, the scanner and the patient (CL02-A011:5.5.3)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import date, datetime
from typing import Any, cast
from zoneinfo import ZoneInfo

import pytest
from slipring.fhir.service import CANONICAL, Desk, Evidence, Resource
from slipring.verdicts.looking import Look
from slipring.verdicts.period import Period
from slipring_order.catalogue import own_codes
from slipring_order.clauses.protocols import protocols
from slipring_order.offer.activity import activity_definition
from slipring_order.offer.defined import PROTOCOL_GROUP
from slipring_order.offer.protocol_choice import SCANNER
from slipring_order.offer.protocols import AGE_GROUP
from slipring_order.offer.words import usage

from tests.support.desk import ADesk
from tests.support.ordering import NOW, a_patient
from tests.support.rooms import a_scanner

_TASK_CODE = f"{CANONICAL}/CodeSystem/task-code"
CHEST = own_codes()["ct-chest-plain"]
ADULT, CHILD = a_patient(id="o-adult"), a_patient(id="o-child", birthDate="2017-05-01")
HAS_NONE = [("ActivityDefinition/o-exam-ct-chest-plain", 1)]


class Desks(ADesk):
    """A desk on which a plan stands from its day until it is out of use."""

    async def evidence(self, query: str, at: datetime) -> AsyncIterator[Evidence]:
        """All matches as they stood."""
        async for one in super().evidence(query, at):
            ended = one.stored.resource.get("effectivePeriod", {}).get("end")
            if ended is None or at.date().isoformat() < ended:
                yield one


def a_protocol(
    id: str = "o-any", *, age: str = "", scanner: str = "", status: str = "active", **members: Any
) -> Resource:
    contexts = [usage("exam", {"coding": [{"system": PROTOCOL_GROUP, "code": CHEST.protocol}]})]
    contexts += [usage("age-group", {"coding": [{"system": AGE_GROUP, "code": age}]})] if age else []
    contexts += [usage("scanner", {"coding": [{"system": SCANNER, "code": scanner}]})] if scanner else []
    return {"resourceType": "PlanDefinition", "id": id, "status": status, "useContext": contexts} | members


def a_chest(number: int, patient: Resource = ADULT, scanner: str = "", step: str = "completed") -> list[Resource]:
    exam = f"o-exam-{number}"
    request = {
        "resourceType": "ServiceRequest", "id": f"o-req-{number}",
        "code": {"coding": [{"system": "http://loinc.org", "code": CHEST.loinc}]},
    }  # fmt: skip
    task = {
        "resourceType": "Task", "id": exam, "focus": {"reference": f"ServiceRequest/o-req-{number}"},
        "code": {"coding": [{"system": _TASK_CODE, "code": "exam"}]},
        "for": {"reference": f"Patient/{patient['id']}"}, "executionPeriod": {"start": f"2026-02-{number:02d}T02:00:00Z"},
    }  # fmt: skip
    booked = {
        "resourceType": "Task", "id": f"o-step-{number}", "partOf": [{"reference": f"Task/{exam}"}], "status": step,
        "code": {"coding": [{"system": _TASK_CODE, "code": "scheduled-step"}]}, "owner": {"reference": f"Device/{scanner}"},
    }  # fmt: skip
    return [request, task, *([booked] if scanner else [])]


async def judged(*there: Resource) -> list[tuple[str, int]]:
    """The definitions that are named, each with how many exams."""
    definition = activity_definition(CHEST)
    desk = Desks(NOW, [a_scanner(), a_scanner("o-ct2"), ADULT, CHILD, definition, *there])
    look = Look(cast("Desk", desk), Period(date(2026, 2, 1), date(2026, 2, 28)), NOW, ZoneInfo("Asia/Shanghai"))
    exams = [one async for one in desk.evidence(f"Task?code={_TASK_CODE}|exam", NOW)]
    said = await protocols(look, exams)
    assert said.population == len(exams) > 0
    return [(one.reference, int(one.how.en.rsplit(" ", 1)[1])) for one in said.breaches]


@pytest.mark.clause("5.5.3")
@pytest.mark.parametrize(
    ("plans", "made", "named"),
    [
        ([], a_chest(3), HAS_NONE),
        ([a_protocol()], a_chest(3), []),
        ([a_protocol(status="draft")], a_chest(3), HAS_NONE),
        ([a_protocol(scanner="o-ct2")], a_chest(3, scanner="o-ct2"), []),
        ([a_protocol(scanner="o-ct2")], a_chest(3, scanner="o-ct1"), HAS_NONE),
        ([a_protocol(scanner="o-ct2")], a_chest(3), []),  # nobody wrote on which scanner it was
        ([a_protocol(scanner="o-ct2")], a_chest(3, scanner="o-ct1", step="cancelled"), []),
        ([a_protocol(age="adult")], [*a_chest(3), *a_chest(4, CHILD)], HAS_NONE),
        ([a_protocol(age="adult"), a_protocol("o-child", age="child")], [*a_chest(3), *a_chest(4, CHILD)], []),
        ([a_protocol(age="adult")], a_chest(3, a_patient(id="o-nobody")), []),  # of whose age nothing is known
        ([a_protocol(effectivePeriod={"end": "2026-02-20"})], a_chest(19), []),  # out of use since
        ([a_protocol(effectivePeriod={"end": "2026-02-20"})], a_chest(21), HAS_NONE),
    ],
)
async def test_an_exam_without_an_approved_protocol_on_its_scanner_is_named(
    plans: list[Resource], made: list[Resource], named: list[tuple[str, int]]
) -> None:
    assert await judged(*plans, *made) == named


@pytest.mark.clause("5.5.3")
async def test_exams_of_one_kind_on_one_scanner_are_told_together() -> None:
    made = [one for number in range(3, 8) for one in a_chest(number, scanner=f"o-ct{1 + number % 2}")]
    assert await judged(*made) == [(HAS_NONE[0][0], 2), (HAS_NONE[0][0], 3)]
