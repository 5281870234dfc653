"""What else a department does in a quarter: checks and tests, conferences, what it is asked, told and learns, and its figures."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from slipring_demo.cast import C
from slipring_demo.teller import parameters, value_of
from slipring_order.grading.graded import GRADING, questions
from slipring_order.resources import TASK_CODE_SYSTEM

from .living import Exam, Quarter
from .standing import GEAR, VALUES, checked, dosed, measured

Tree = dict[str, Any]
MONTHLY = ("water", "uniformity", "couch", "laser")
STATE = f"{C}/CodeSystem/quality-state"


def reference(place: str) -> tuple[str, Tree]:
    """A parameter's Reference."""
    return "Reference", {"reference": place}


async def made(quarter: Quarter, resource: Tree) -> str:
    """POST what must be taken; its reference."""
    answer = await quarter.department.post(resource["resourceType"], resource)
    assert answer.status_code == 201, answer.text
    return f"{resource['resourceType']}/{answer.json()['id']}"


async def called(quarter: Quarter, address: str, **values: Any) -> Tree:
    """An operation that must be answered."""
    answer = await quarter.department.post(address, parameters(**values))
    assert answer.is_success, answer.text
    tree: Tree = answer.json()
    return tree


async def looked_after(quarter: Quarter) -> None:
    """The month's check lists of rooms and gear, dosimeters, and the scanner's constancy."""
    now = quarter.department.clock.now().isoformat(timespec="seconds")
    at = quarter.at
    filled = [checked("room-check", at["hospital"], now), checked("crash-cart-check", at["crash-cart"], now)]
    filled += [checked("supply-check", at["second-supply"], now)]
    filled += [checked("equipment-check", at[one], now) for one in GEAR[:3]]
    filled += [dosed(at[name.removesuffix(" dose")], now) for name in at if name.endswith(" dose")]
    technologist = {"author": {"reference": at["technologist"]}}
    for one in filled:
        await made(quarter, one | technologist)
    for test in MONTHLY:
        await made(quarter, measured(test, VALUES[test], now, at["scanner"], "constancy"))


async def conference(quarter: Quarter, exam: Exam) -> None:
    """Difficult cases are discussed by three."""
    now = quarter.department.clock.now().isoformat(timespec="seconds")
    chair = reference(quarter.at["head"])
    planned = await called(quarter, "Task/$plan-conference", chair=chair, start=("DateTime", now))
    task = f"Task/{value_of(planned, 'return')['id']}"
    listed = await called(
        quarter,
        f"{task}/$add-case",
        report=reference(exam.report),
        question=("String", "?"),
        by=reference(quarter.at["first reader"]),
    )
    people = [
        {"name": "person", "valueReference": {"reference": quarter.at[name]}}
        for name in ("first reader", "second reader", "third reader")
    ]
    said = {"resourceType": "Parameters", "parameter": [*people, {"name": "by", "valueReference": chair[1]}]}
    assert (await quarter.department.post(f"{task}/$attend", said)).is_success
    case = f"Task/{value_of(listed, 'return')['id']}"
    await called(quarter, f"{case}/$conclude-case", result=("String", "as reported 同报告"), by=chair)
    await called(quarter, f"{task}/$close-conference", by=chair)


async def critical(quarter: Quarter, exam: Exam) -> str:
    """A critical finding is told, read back and acted on within five minutes."""
    case = await exam.flagged(exam.report)
    quarter.department.clock.advance(timedelta(minutes=4))
    answer = await exam.read_back(case, "requester")
    assert answer.is_success, answer.text
    await called(quarter, f"Task/{case['id']}/$act", action=("CodeableConcept", {"text": "treated 已处置"}))
    return f"Task/{case['id']}"


async def reaction(quarter: Quarter, exam: Exam) -> str:
    """A mild reaction, treated, closed with its measures and its effect on the result."""
    now = quarter.department.clock.now().isoformat(timespec="seconds")
    nurse = {"reference": quarter.at["nurse"]}
    what = {"coding": [{"system": f"{C}/CodeSystem/reaction-measure", "code": "antihistamine"}]}
    none = {"coding": [{"system": f"{C}/CodeSystem/reaction-effect", "code": "none"}]}
    said = f"{C}/StructureDefinition"
    event = {
        "resourceType": "AdverseEvent", "actuality": "actual", "subject": exam.cast.subject, "date": now, "recorder": nurse,
        "suspectEntity": [{"instance": {"reference": exam.given}}],
        "event": {"coding": [{"system": f"{C}/CodeSystem/reaction-type", "code": "physiologic"}]},
        "severity": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/adverse-event-severity", "code": "mild"}]},
        "outcome": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/adverse-event-outcome", "code": "resolved"}]},
        "extension": [
            {"url": f"{said}/reaction-phase", "valueCode": "closed"},
            {"url": f"{said}/measures", "extension": [
                {"url": "what", "valueCodeableConcept": what}, {"url": "at", "valueDateTime": now}, {"url": "by", "valueReference": nurse},
            ]},
            {"url": f"{said}/effect-on-result", "extension": [{"url": "effect", "valueCodeableConcept": none}]},
        ],
    }  # fmt: skip
    return await made(quarter, event)


async def settled(quarter: Quarter, kind: str, says: str, until: int | None = None) -> str:
    """A complaint or a nonconformity, from its opening to its end."""
    now = quarter.department.clock.now()
    task: Tree = {
        "resourceType": "Task", "status": "requested", "intent": "order", "description": says,
        "authoredOn": now.isoformat(timespec="seconds"),
        "code": {"coding": [{"system": TASK_CODE_SYSTEM, "code": kind}]},
    }  # fmt: skip
    place = await made(quarter, task)
    lead, head = quarter.at["technical lead"], quarter.at["head"]
    due = {"period": {"end": (now + timedelta(days=7)).isoformat(timespec="seconds")}}
    steps: list[tuple[str, Tree]] = (
        [
            ("taken", {"owner": {"reference": head}}),
            ("answered", {"output": [_put("outcome", "explained 已说明")]}),
            ("closed", {}),
        ]
        if kind == "complaint"
        else [
            ("analysed", {"input": [_put("cause", "no reminder 无提醒")]}),
            (
                "planned",
                {"input": [_put("action", "a reminder 加提醒")], "owner": {"reference": lead}, "restriction": due},
            ),
            ("carried-out", {"output": [_put("carried-out", "done 已完成")]}),
            ("closed", {"output": [_put("effect", "none since 未再发生"), _put("verifier", head)]}),
        ]
    )
    for state, more in steps[:until]:
        kept = await quarter.department.get(place)
        merged = kept | {
            name: [*kept.get(name, []), *value] if name in ("input", "output") else value
            for name, value in more.items()
        }
        moved = merged | {"businessStatus": {"coding": [{"system": STATE, "code": state}]}}
        answer = await quarter.department.put(moved)
        assert answer.status_code == 200, answer.text
    return place


def _put(code: str, value: str) -> Tree:
    kind = {"type": {"coding": [{"system": f"{C}/CodeSystem/task-input", "code": code}]}}
    return kind | (
        {"valueReference": {"reference": value}} if value.startswith("Practitioner/") else {"valueString": value}
    )


async def consulted(quarter: Quarter, exam: Exam) -> str:
    """A question about a report, and its answer."""
    asker, adviser = reference(quarter.at["first reader"]), reference(quarter.at["head"])
    asked = await called(quarter, f"{exam.report}/$consult", by=asker, of=adviser, question=("String", "a cyst?"))
    place = f"Communication/{value_of(asked, 'return')['id']}"
    await called(quarter, f"{place}/$answer", by=adviser, answer=("String", "a cyst 囊肿"))
    return place


async def compared(quarter: Quarter, exam: Exam, system: str) -> None:
    """A report is held against pathology."""
    await called(
        quarter, f"{exam.report}/$record-concordance", against=("Code", "pathology"), diagnosis=("String", "as reported"),
        by=reference(quarter.at["third reader"]), grade=("Code", "concordant"), system=("Code", system),
    )  # fmt: skip


async def discordant(quarter: Quarter, exam: Exam) -> str:
    """Pathology says otherwise: the clinic is contacted, and the matter is concluded."""
    by = reference(quarter.at["first reader"])
    opened = await called(
        quarter, f"{exam.report}/$open-discordance", kind=("Code", "contradicts-pathology"), aspect=("Code", "nature"),
        description=("String", "read as a cyst"), by=by,
    )  # fmt: skip
    place = f"Task/{value_of(opened, 'return')['id']}"
    clinic = ("Reference", {"display": "普外科值班医师(虚构)"})
    told = {"with": clinic, "medium": ("Code", "telephone"), "said": ("String", "another segment"), "by": by}
    await called(quarter, f"{place}/$contact-clinic", **told)
    await called(
        quarter, f"{place}/$conclude-discordance", outcome=("Code", "report-stands"), note=("String", "both are described"),
        by=reference(quarter.at["head"]),
    )  # fmt: skip
    return place


async def graded(quarter: Quarter, exam: Exam) -> None:
    """The images of an exam are graded by another than who made them."""
    items = [{"linkId": code, "answer": [{"valueBoolean": True}]} for code in questions()]
    await made(quarter, {
        "resourceType": "QuestionnaireResponse", "questionnaire": GRADING, "status": "completed", "subject": {"reference": exam.cast.exam},
        "authored": quarter.department.clock.now().isoformat(timespec="seconds"), "author": {"reference": quarter.at["technical lead"]},
        "item": items,
    })  # fmt: skip
