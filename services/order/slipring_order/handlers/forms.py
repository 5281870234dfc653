"""The department's forms: an assessment makes competence, a fault found by a check opens a nonconformity."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from slipring.fhir.outcome import FhirError, Issue, conflict, forbidden, unprocessable
from slipring.fhir.service import Changes, Desk, Resource, Save, Stored, Write, successor
from slipring.staff import may, staff_facts

from slipring_order.department import competence
from slipring_order.department.checklists import (
    Checklist,
    Item,
    answers,
    as_questionnaire,
    checklist_of,
    failed_items,
    unanswered,
)
from slipring_order.handlers.evidence import evidence_written
from slipring_order.handlers.reminding import reminder
from slipring_order.nonconformity import nonconformity
from slipring_order.people import demand, person_and_roles
from slipring_order.reading import moment, reference_of

_DONE = frozenset({"completed", "amended"})
_AHEAD = timedelta(minutes=5)  # clocks of clients differ


async def response_written(write: Write, desk: Desk) -> Changes:
    """A form of the department, or an answer to what a request left open."""
    held = [write.resource, *([write.before.resource] if write.before else [])]
    if any(checklist_of(one) for one in held):
        return await form_written(write, desk)
    return await evidence_written(write, desk)


async def form_written(write: Write, desk: Desk) -> Changes:
    """Take a filled form in, with all that follows from it in the same commit."""
    listed = checklist_of(write.before.resource if write.before else write.resource)
    if listed is None or write.imported:
        return Changes.none()
    if write.method == "delete":
        raise conflict(
            "A filled form is a record of the department and stays.",
            "已填写的表单为科室记录，不可删除。",
            at="QuestionnaireResponse",
            detail="order.form-is-kept",
        )
    was = write.before.resource.get("status") if write.before else ""
    status = write.resource.get("status")
    if was in _DONE and status not in (*_DONE, "entered-in-error"):
        raise conflict(
            "A completed form is amended or marked entered-in-error, never reopened.",
            "已完成的表单只能更正或标记为录入错误，不可重新打开。",
            at="QuestionnaireResponse.status",
            detail="order.form-is-done",
        )
    if was in _DONE and any(_said_before(write, name) for name in ("subject", "questionnaire")):
        raise conflict(
            "What a completed form is about does not change: mark it entered-in-error.",
            "已完成表单的对象与种类不可更改：请标记为录入错误。",
            at="QuestionnaireResponse.subject",
            detail="order.form-subject-fixed",
        )
    if status in _DONE:
        await _demand_a_whole_form(listed, write.resource, desk)
    elif was not in _DONE:
        return Changes.none()
    changes = Changes(
        save=[] if await desk.read(f"Questionnaire/o-{listed.code}") else [Save(as_questionnaire(listed))]
    )
    if listed.code == competence.COMPETENCE:
        changes = changes.plus(await _competence(write, desk))
    if status in _DONE and not (was in _DONE and failed_items(listed, (write.before or write).resource)):
        changes = changes.plus(_faults(listed, write.resource, desk))
    return changes.plus(reminder(reference_of(write.resource.get("subject"))))


def _said_before(write: Write, name: str) -> bool:
    """Whether an element said something else before."""
    return write.before is not None and write.before.resource.get(name) != write.resource.get(name)


async def _demand_a_whole_form(listed: Checklist, form: Resource, desk: Desk) -> None:
    subject, author = reference_of(form.get("subject")), reference_of(form.get("author"))
    known = {item.code for item in listed.items}
    issues = [
        *_about_whom(listed, subject, await desk.read(subject) if "/" in subject else None),
        *_by_whom(author, desk),
        *when_filled(form, desk),
        *[_unknown(link) for link in answers(form) if link not in known],
        *[_lacking(item) for item in unanswered(listed, form)],
    ]
    if issues:
        raise FhirError(422, issues)
    if listed.code == competence.COMPETENCE:
        await _demand_an_assessor(form, author, subject, desk)


def _about_whom(listed: Checklist, subject: str, stored: Stored | None) -> list[Issue]:
    if subject.partition("/")[0] in listed.subjects and stored is not None:
        return []
    kinds = ", ".join(listed.subjects)
    return [
        Issue(
            "required",
            zh=f"该表单须注明对象（{kinds}），且已在册。",
            en=f"This form names whom it is about: {kinds}, on record here.",
            at="QuestionnaireResponse.subject",
            detail="order.form-subject",
        )
    ]


def _by_whom(author: str, desk: Desk) -> list[Issue]:
    if author.startswith(("Practitioner/", "PractitionerRole/")):
        return []
    return [
        Issue(
            "required",
            zh="该表单须注明填写人。",
            en="This form names the person who filled it.",
            at="QuestionnaireResponse.author",
            detail="order.form-author",
        )
    ]


def when_filled(form: Resource, desk: Desk) -> list[Issue]:
    """A form that does not say when it was filled would belong to no period."""
    at = moment(form.get("authored"), desk.settings.zone)
    if at is not None and at <= desk.now + _AHEAD:
        return []
    return [
        Issue(
            "required",
            zh="该表单须注明填写时间，且不晚于现在。",
            en="This form says when it was filled, which is not in the future.",
            at="QuestionnaireResponse.authored",
            detail="order.form-authored",
        )
    ]


def _unknown(link: str) -> Issue:
    return Issue(
        "code-invalid",
        zh="该表单没有此项。",
        en="The form has no such item.",
        at=f"QuestionnaireResponse.item.where(linkId='{link}')"
        if link.isascii() and len(link) < 64
        else "QuestionnaireResponse.item",
        detail="order.form-item",
    )


def _lacking(item: Item) -> Issue:
    return Issue(
        "required",
        zh=f"未填写：{item.zh}。",
        en=f"Not answered: {item.en}.",
        at=f"QuestionnaireResponse.item.where(linkId='{item.code}')",
        detail="order.form-unanswered",
    )


async def _demand_an_assessor(form: Resource, author: str, subject: str, desk: Desk) -> None:
    person, roles = await person_and_roles(author, desk)
    named = f"Practitioner/{(person or {}).get('id', '')}"
    if desk.caller.practitioner and desk.caller.practitioner != named:
        raise forbidden(
            "An assessment is recorded in the assessor's own name.",
            "能力评估须以评估人本人名义记录。",
            at="QuestionnaireResponse.author",
            detail="order.assessor-himself",
        )
    if named == subject:
        raise unprocessable(
            "Nobody assesses himself.",
            "不得评估本人。",
            at="QuestionnaireResponse.author",
            detail="order.assessor-other",
        )
    lacks = may("assess-competence", person, roles, desk.now, zone=desk.settings.time_zone)
    demand(lacks, "QuestionnaireResponse.author", recorded=True)
    given = answers(form)
    if (given.get("result") or {}).get("code") == "passed" and any(value is False for value in given.values()):
        raise unprocessable(
            "An assessment with a failed part, first aid included, is not passed.",
            "有不合格项（含急救）的评估不能判为合格。",
            at="QuestionnaireResponse.item.where(linkId='result')",
            detail="order.assessment-contradicts",
        )


async def _competence(write: Write, desk: Desk) -> Changes:
    """The register entry that follows from an assessment: made, ended, or taken back."""
    form = write.resource
    subject = reference_of(form.get("subject"))
    stored = await desk.read(subject)
    if stored is None:
        return Changes.none()
    held = competence.without(stored.resource.get("qualification", []), write.reference)
    if form["status"] in _DONE:
        day = _local(form["authored"], desk)
        if (answers(form).get("result") or {}).get("code") == "passed":
            due = await _next_due({**stored.resource, "qualification": held}, stored.reference, day, desk)
            held = [*held, competence.entry(competence.COMPETENCE, day, due, write.reference)]
        else:
            held = competence.ended(held, day)
    return Changes(save=[successor(stored, qualification=held or None)])


async def _next_due(person: Resource, reference: str, day: date, desk: Desk) -> date:
    """When the next assessment is due; `person` without what this form made before."""
    _, roles = await person_and_roles(reference, desk)
    staff = staff_facts(person, roles, desk.now, zone=desk.settings.time_zone)
    spans = [one for one in staff.qualifications.get(competence.COMPETENCE, ()) if one.start]
    passes = [span.start for span in spans if span.start and span.start != day]
    since = competence.on_duty_since(staff)
    limits = desk.settings.limits.on(desk.now.astimezone(desk.settings.zone).date())
    return competence.next_assessment(day, since, passes, limits)


def _local(text: str, desk: Desk) -> date:
    at: datetime = moment(text, desk.settings.zone) or desk.now
    return at.astimezone(desk.settings.zone).date()


def _faults(listed: Checklist, form: Resource, desk: Desk) -> Changes:
    """One nonconformity for each fault; the form is its evidence."""
    return Changes(
        save=[
            Save(
                nonconformity(
                    id=desk.new_id(),
                    zh=f"{listed.zh}：{item.zh}——不合格。",
                    en=f"{listed.title}: {item.en} - failed.",
                    clause=item.clause,
                    about=reference_of(form.get("subject")),
                    now=desk.now,
                    evidence=[f"QuestionnaireResponse/{form['id']}"],
                    who=reference_of(form.get("author")),
                )
            )
            for item in failed_items(listed, form)
        ]
    )
