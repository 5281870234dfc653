"""Reception and the check list: who came, who he is, and what was confirmed before the scan."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from slipring.fhir.findings import as_detected_issue
from slipring.fhir.merged import merge_set
from slipring.fhir.outcome import FhirError, Issue, unprocessable
from slipring.fhir.service import Call, Changes, Desk, Resource, Save, Stored
from slipring.rules.finding import Finding, Weight
from slipring.rules.lifecycle import IllegalMove
from slipring.staff import may

from slipring_order import lifecycle, resources
from slipring_order.asked_day import asked_day
from slipring_order.handlers.exams import illegal
from slipring_order.handlers.scheduling import the_exam
from slipring_order.judging.contrast import contrast_shown
from slipring_order.people import demand, person_and_roles
from slipring_order.reading import reference_of
from slipring_order.rooms import checks
from slipring_order.rooms.following import step_follows
from slipring_order.rooms.identity import ENOUGH, UNIDENTIFIED, Shown, compare, is_unidentified, same_person_by_words
from slipring_order.rooms.occurring import occurred

_TODAY = "justified,scheduled,arrived,ready"


async def arrived(call: Call, desk: Desk) -> Changes:
    """`Task/[id]/$arrive`: the patient is here; two identifiers of different kinds are checked and recorded."""
    exam, who = the_exam(call), await performer(call, desk)
    _may_move(exam, "arrived")
    records = await records_of(exam, desk)
    kinds = identified(call, exam, records, desk)
    if isinstance(kinds, Changes):
        return kinds
    note = str(call.value("note") or "")
    record = checks.record(exam, checks.ARRIVAL, who, id=desk.new_id(), now=desk.now, kinds=kinds, note=note)
    record = (await occurred(call, exam, desk)).on(record)
    inputs = checks.with_input(
        exam.resource, checks.ARRIVAL, {"valueReference": {"reference": f"Provenance/{record['id']}"}}
    )
    exam = with_inputs(exam, await also_named(call, inputs, desk))
    warned = await _namesakes(records, exam, desk)
    moved = await moved_to(exam, "arrived", desk)
    saves = [*moved, Save(record), *(Save(issue) for issue in warned)]
    answer = [
        {"name": "return", "resource": moved[0].resource},
        *({"name": "issue", "resource": one} for one in warned),
    ]
    return Changes(save=saves, answer={"resourceType": "Parameters", "parameter": answer})


async def moved_to(exam: Stored, target: str, desk: Desk) -> list[Save]:
    """The exam in another state first, then what follows it."""
    request = await desk.read(reference_of(exam.resource["focus"]))
    members = await contrast_shown(request.resource, exam.resource, target, desk) if request else {}
    return [resources.moved(exam, target, desk.now, **members), *await step_follows(exam, target, desk)]


def _may_move(exam: Stored, target: str) -> None:
    try:
        lifecycle.by_hand(resources.state_of(exam.resource), target)
    except IllegalMove as refused:
        raise illegal(refused) from refused


def with_inputs(exam: Stored, inputs: list[Resource]) -> Stored:
    """The exam with these inputs."""
    return replace(exam, resource={**exam.resource, "input": inputs} if inputs else exam.resource)


async def also_named(call: Call, inputs: list[Resource], desk: Desk) -> list[Resource]:
    """The inputs with the attending clinician and whether the patient is critical, where the call says so."""
    holder: Resource = {"input": inputs}
    if call.value("attendant"):
        person, _ = await person_and_roles(reference_of(call.value("attendant")), desk)
        if person is None:
            raise unprocessable(
                "The attending clinician is not on the register.",
                "所指陪同人员不在人员登记中。",
                at=call.at("attendant"),
                detail="order.attendant-unknown",
            )
        holder["input"] = checks.with_input(holder, checks.ATTENDANT, {"valueReference": call.value("attendant")})
    if call.value("critical") is not None:
        holder["input"] = checks.with_input(holder, checks.CRITICAL, {"valueBoolean": bool(call.value("critical"))})
    found: list[Resource] = holder["input"]
    return found


async def performer(call: Call, desk: Desk) -> str:
    """Who does it: the caller's own person, else the one named in `performer`; he must be on the register."""
    named = desk.caller.practitioner or reference_of(call.value("performer"))
    person, _ = await person_and_roles(named, desk)
    if person is None:
        raise unprocessable(
            "Name the person who does it: sign in as one, or give `performer`.",
            "请指明操作人员：以本人身份登录，或给出 performer。",
            at=call.at("performer"),
            code="required",
            detail="order.performer-missing",
        )
    return f"Practitioner/{person['id']}"


async def performer_who_may(act: str, call: Call, desk: Desk) -> str:
    """Who does it; 403 with everything that he lacks for the act."""
    who = await performer(call, desk)
    person, roles = await person_and_roles(who, desk)
    demand(may(act, person, roles, desk.now, zone=desk.settings.time_zone), call.at("performer"))
    return who


async def records_of(exam: Stored, desk: Desk) -> list[Stored]:
    """The records of an exam's patient, the exam's own first; none when he is not known here."""
    own = reference_of(exam.resource.get("for"))
    if not own.startswith("Patient/"):
        return []
    others = sorted(await merge_set(own, desk) - {own})
    return [stored for one in (own, *others) if (stored := await desk.read(one))]


def identified(call: Call, exam: Stored, records: Sequence[Stored], desk: Desk) -> tuple[str, ...] | Changes:
    """The kinds of identifier that agree; a refusal when one does not, or when they are too few."""
    nobody_knows = bool(call.value("unidentified"))
    if nobody_knows and (not records or not all(is_unidentified(record.resource) for record in records)):
        raise unprocessable(
            "This patient is identified: check two identifiers.",
            "该患者身份已知，须核对两种身份标识。",
            at=call.at("unidentified"),
            detail="order.patient-is-identified",
        )
    found = compare([record.resource for record in records], _shown(call))
    if found.wrong:
        return _somebody_else(call, exam, found.wrong, desk)
    if nobody_knows:  # what his wristband says agrees, where it says anything
        return (*found.kinds, UNIDENTIFIED)
    if not found.enough:
        raise unprocessable(
            f"Two identifiers of different kinds are needed; {len(found.kinds)} of {ENOUGH} agree.",
            f"须核对两种不同的身份标识，现有 {len(found.kinds)} 种相符（共需 {ENOUGH} 种）。",
            at=call.at("identifier"),
            code="required",
            detail="order.two-identifiers",
        )
    return found.kinds


def _shown(call: Call) -> Shown:
    """What the patient shows; 422 for an identifier without a value, or a birth date that is no whole day."""
    identifiers = call.values("identifier")
    if not all(one.get("value") for one in identifiers):
        raise unprocessable(
            "An identifier that is shown has a value.",
            "所示身份标识须有内容（value）。",
            at=call.at("identifier"),
            code="required",
            detail="order.identifier-without-value",
        )
    born = asked_day(call, "birthDate").isoformat() if call.value("birthDate") else ""
    return Shown(identifiers, str(call.value("name") or ""), born)


def _somebody_else(call: Call, exam: Stored, wrong: Sequence[str], desk: Desk) -> Changes:
    """Refused, and on record that somebody else may have stood there."""
    zh, en = "所示身份标识与登记的患者不符。", "What was shown is not on the patient's record."
    finding = Finding(
        "order.identity-mismatch", "1", "CL02-A011:4.13", Weight.STOP, zh, en, "Task.for", {"kinds": list(wrong)}
    )
    subject = reference_of(exam.resource.get("for"))
    issue = as_detected_issue(finding, id=desk.new_id(), subject=subject, about=exam.reference, now=desk.now)
    at = call.at({"name": "name", "birth-date": "birthDate"}.get(wrong[0], "identifier"))
    refused = FhirError(422, [Issue("business-rule", zh=zh, en=en, at=at, detail="order.identity-mismatch")])
    return Changes(save=[Save(issue)], refuse=refused)


async def _namesakes(records: Sequence[Stored], exam: Stored, desk: Desk) -> list[Resource]:
    """A warning when somebody else of the same name and birth date is on the list as well."""
    born = sorted({str(record.resource["birthDate"]) for record in records if record.resource.get("birthDate")})
    if not born:
        return []
    own, same = reference_of(exam.resource.get("for")), {record.reference for record in records}
    for other in await desk.search(f"Patient?birthdate={','.join(born)}"):
        if other.reference in same:
            continue
        if not any(same_person_by_words(record.resource, other.resource) for record in records):
            continue
        if not await desk.search(f"Task?patient={other.reference}&code=exam&business-status={_TODAY}"):
            continue
        finding = Finding(
            "order.namesake-on-list", "1", "CL02-A011:4.13", Weight.WARN,
            "名单中另有同名同出生日期的患者，请用其他标识区分。",
            "Another patient of the same name and birth date is on the list: tell them apart by another identifier.",
            "Task.for", {"other": other.reference},
        )  # fmt: skip
        return [as_detected_issue(finding, id=desk.new_id(), subject=own, about=exam.reference, now=desk.now)]
    return []
