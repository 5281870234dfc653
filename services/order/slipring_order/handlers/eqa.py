"""Rounds of comparison with others are planned, answered and concluded by two operations, and by nothing else (5.6.3)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from slipring.fhir.outcome import FhirError, conflict, not_found, unprocessable
from slipring.fhir.service import Call, Changes, Desk, Save, Stored, Write, successor
from slipring.rules.finding import Limit

from slipring_order.asked_day import asked_day
from slipring_order.catalogue import SYSTEMS
from slipring_order.eqa import form
from slipring_order.eqa.standing import UNACCEPTABLE, verdict_of
from slipring_order.handlers.reception import performer_who_may
from slipring_order.handlers.reminding import reminder
from slipring_order.nonconformity import nonconformity
from slipring_order.reading import instant, reference_of

_ACT = "compare-outside"
_CLAUSE = "CL02-A011:5.6.3"
_LONGEST = 500
_DONE = ("completed", "amended")
_PLANNED = {"scheme": 1, "partner": 1, "material": 1, "exam": 30, "note": 1}  # words that a plan may hold, how many
_LATER = ("sent", "returned", "criterion", "score", "said")  # what a concluded round is told no more


async def round_planned(call: Call, desk: Desk) -> Changes:
    """Begin the record of a round: how, with whom and why with him, which systems and items, and by when it is answered."""
    by = await performer_who_may(_ACT, call, desk)
    said: form.Answers = {"kind": [_one_of("kind", form.kinds(), call)]}
    said |= {name: found for name, most in _PLANNED.items() if (found := _words(name, most, call))}
    said["system"] = _systems(call)
    for name in ("scheme", "partner", "exam"):
        if name not in said:
            raise _refused(call, name, f"{name} is needed.", f"须填写 {name}。", "needed", code="required")
    said["due"] = [asked_day(call, "due").isoformat()]
    made = form.as_response(said, by, id=desk.new_id(), now=instant(desk.now))
    return Changes(save=[Save(made)], answer=made)


async def round_recorded(call: Call, desk: Desk) -> Changes:
    """Record what became of a round: answered, result, verdict by its criterion, certificate; or that it was entered in error.

    The verdict ends it. One that is not acceptable opens a nonconformity in the same commit, which holds cause, action and
    effect; the certificate may follow later.
    """
    held = call.target
    if held is None or not form.is_round(held.resource):
        raise not_found("QuestionnaireResponse")
    by = await performer_who_may(_ACT, call, desk)
    before = form.answers(held.resource)
    if held.resource["status"] == "entered-in-error":
        raise _not_any_more("The round was entered in error.", "该轮次已标记为录入错误。")
    note = _words("note", 1, call)
    notes = {"note": [*before.get("note", []), *note]} if note else {}
    if call.value("inError") is True:
        if not note:
            raise _refused(
                call, "note", "Say what is wrong with it.", "须说明录入错误的内容。", "needed", code="required"
            )
        return _kept(held, before | notes, "entered-in-error", by, desk)
    certificate = await _certificate(call, desk)
    if held.resource["status"] in _DONE:
        if any(call.value(name) is not None for name in _LATER):
            raise _not_any_more(
                "The round has its verdict; a certificate or a remark may follow.",
                "该轮次已有结论，只能补充证书或说明。",
            )
        return _kept(held, before | notes | certificate, "amended", by, desk)
    said = before | notes | certificate | _days(before, call, desk) | _result(before, call)
    concluded = "returned" in said and ("score" in said or "said" in said)
    if not concluded:
        return _kept(held, said, "in-progress", by, desk)
    limit = _limit(said, desk)
    score = Decimal(str(said["score"][0])) if limit else None
    criterion = str(said["criterion"][0]) if limit else ""
    verdict = verdict_of(criterion, score, limit, str(next(iter(said.get("said", [])), "")))
    said["verdict"] = [verdict]
    if limit is not None:
        said["limit"] = [f"{limit.id}|{limit.version}"]
    changes = _kept(held, said, "completed", by, desk).plus(reminder(""))
    return changes.plus(_opened(held, said, by, desk)) if verdict == UNACCEPTABLE else changes


async def eqa_written(write: Write, desk: Desk) -> Changes:
    """A record of a round is made and moved by its operations alone; it is never deleted, nor turned into another form."""
    if write.imported and write.method != "delete" and form.is_round(write.resource):
        return reminder("")
    raise conflict(
        "Rounds of comparison are recorded by $plan-eqa and $record-eqa.",
        "室间比对轮次须以 $plan-eqa 与 $record-eqa 记录。",
        at="QuestionnaireResponse",
        detail="order.eqa-by-operation",
    )


def _kept(held: Stored, said: form.Answers, status: str, by: str, desk: Desk) -> Changes:
    moved = successor(
        held, status=status, authored=instant(desk.now), author={"reference": by}, item=form.as_items(said)
    )
    return Changes(save=[moved], answer=moved.resource)


def _opened(held: Stored, said: form.Answers, by: str, desk: Desk) -> Changes:
    scheme = str(next(iter(said.get("scheme", [])), ""))
    task = nonconformity(
        id=desk.new_id(),
        zh=f"室间比对结果不满意：{scheme}。须查明原因并采取措施。",
        en=f"A comparison with others was not acceptable: {scheme}. Its cause is to be found, and action taken.",
        clause=_CLAUSE,
        about=held.reference,
        now=desk.now,
        evidence=[held.reference],
        who=by,
    )
    return Changes(save=[Save(task)])


def _days(before: form.Answers, call: Call, desk: Desk) -> form.Answers:
    """When it was answered and when the result came: not in the future, and in this order."""
    today = desk.now.astimezone(desk.settings.zone).date()
    said = {name: [asked_day(call, name).isoformat()] for name in ("sent", "returned") if call.value(name) is not None}
    for name, found in said.items():
        if date.fromisoformat(found[0]) > today:
            raise _refused(call, name, f"{name} is not in the future.", f"{name} 不得晚于今天。", "day")
    both = before | said
    if "sent" in both and "returned" in both and both["returned"][0] < both["sent"][0]:
        raise _refused(call, "returned", "A result comes after its answer.", "结果不得早于回报。", "day")
    return said


def _result(before: form.Answers, call: Call) -> form.Answers:
    found: form.Answers = {}
    if call.value("said") is not None:
        found["said"] = [_one_of("said", form.verdicts(), call)]
    if call.value("score") is None and call.value("criterion") is None:
        return found
    criterion = _one_of("criterion", form.criteria(), call)
    least, most = form.criteria()[criterion]["most"]
    score = call.value("score")
    number = Decimal(str(score)) if isinstance(score, int | float | Decimal) and not isinstance(score, bool) else None
    if number is None or not number.is_finite() or not least <= number <= most:
        raise _refused(
            call, "score", f"score is a number from {least} to {most}.", f"score 须为 {least} 至 {most} 的数。", "score"
        )
    return found | {"criterion": [criterion], "score": [score]}


def _limit(said: form.Answers, desk: Desk) -> Limit | None:
    """The figure that the result is held against, as it is in force now."""
    if "score" not in said:
        return None
    limits = desk.settings.limits.on(desk.now.astimezone(desk.settings.zone).date())
    limit: Limit = limits.limit(str(form.criteria()[said["criterion"][0]]["limit"]))
    return limit


async def _certificate(call: Call, desk: Desk) -> form.Answers:
    named = call.value("certificate")
    if named is None:
        return {}
    reference = reference_of(named)
    found = await desk.read(reference) if reference.startswith("DocumentReference/") else None
    if found is None or found.resource.get("status") != "current":
        raise _refused(
            call, "certificate", "The certificate is a document on record here.", "证书须为在册的文件。", "certificate"
        )
    return {"certificate": [reference]}


def _systems(call: Call) -> list[str]:
    found = list(dict.fromkeys(str(one) for one in call.values("system")))
    if not found or not set(found) <= set(SYSTEMS):
        known = ", ".join(SYSTEMS)
        raise _refused(
            call, "system", f"system is one or more of {known}.", f"system 须为下列一项或多项：{known}。", "system",
            code="code-invalid",
        )  # fmt: skip
    return found


def _words(name: str, most: int, call: Call) -> list[str]:
    found = [str(one).strip() for one in call.values(name) if str(one).strip()]
    if len(found) > most or any(len(one) > _LONGEST for one in found):
        raise _refused(
            call, name, f"{name} is at most {most} times {_LONGEST} characters.",
            f"{name} 最多 {most} 项，每项不超过 {_LONGEST} 字。", "words",
        )  # fmt: skip
    return found


def _one_of(name: str, known: Mapping[str, Any], call: Call) -> str:
    said = str(call.value(name) or "")
    if said not in known:
        listed: Sequence[str] = list(known)
        raise _refused(
            call, name, f"{name} is one of {', '.join(listed)}.", f"{name} 须为下列之一：{'、'.join(listed)}。", "code",
            code="code-invalid",
        )  # fmt: skip
    return said


def _not_any_more(en: str, zh: str) -> FhirError:
    return conflict(en, zh, at="QuestionnaireResponse.status", detail="order.eqa-concluded")


def _refused(call: Call, name: str, en: str, zh: str, detail: str, *, code: str = "value") -> FhirError:
    return unprocessable(en, zh, at=call.at(name), code=code, detail=f"order.eqa-{detail}")
