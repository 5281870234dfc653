"""`DocumentReference/$consent-text`: the exact text for one exam. Once stored it never changes, whoever brought it."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

from slipring.fhir.outcome import FhirError, Issue, conflict, not_found, unprocessable
from slipring.fhir.service import Call, Changes, Desk, Resource, Save, Stored, Write

from slipring_consent.consenting.document import (
    TEXT_SHA256,
    attachment_of,
    bytes_of,
    exams_of,
    hash_faults,
    is_consent_text,
    sha1,
    sha256_of,
    text_document,
)
from slipring_consent.consenting.text import filled
from slipring_consent.consenting.text_facts import planned_agent, text_facts
from slipring_consent.consenting.wording import Wording, languages, wording
from slipring_consent.department import settings_of
from slipring_consent.reading import extension_value, reference_of

_MILLILITRES = frozenset({"mL", "ml"})
# A text may be taken back (status), never rewritten.
_FREE = frozenset({"meta", "status", "docStatus", "relatesTo", "text", "implicitRules"})


async def text_asked(call: Call, desk: Desk) -> Changes:
    """Fill in the text for an exam and store it; the same text asked again is the one that is stored already."""
    request = await _request(call, desk)
    patient = await desk.read(reference_of(request.get("subject")))
    if patient is None:
        raise not_found(reference_of(request.get("subject")) or "Patient")
    words = _words(call, desk)
    agent = planned_agent(call.value("agent"), request)
    dose: Resource = call.value("dose") or {}
    issues = [*_agent_issues(call, agent), *_dose_issues(call, dose)]
    if issues or agent is None:
        raise FhirError(422, issues)
    facts = await text_facts(request, patient.resource, agent, dose, call.value("route"), words, desk)
    document = text_document(
        desk.new_id(),
        filled(words, facts),
        patient=reference_of(request["subject"]),
        exam=f"ServiceRequest/{request['id']}",
        language=words.language,
        title=words.title,
        version=words.name,
        now=desk.now,
    )
    standing = await _standing(document, desk)
    if standing is not None:
        return Changes(answer=standing.resource)
    return Changes(save=[Save(document)], answer=document)


async def text_written(write: Write, desk: Desk) -> Changes:
    """A department's own text is taken as it is, with hashes that fit it; a stored one is not rewritten."""
    before = write.before.resource if write.before else None
    if write.method == "delete" or not (is_consent_text(write.resource) or (before and is_consent_text(before))):
        return Changes.none()
    if before is not None and is_consent_text(before):
        return Changes(refuse=_rewritten(before, write.resource))
    if write.imported:
        return Changes.none()
    issues = _own_text_issues(write.resource)
    if issues:
        return Changes(refuse=FhirError(422, issues))
    content = _hashed(write.resource)
    return Changes.none() if content == write.resource["content"] else Changes(members={"content": content})


async def _request(call: Call, desk: Desk) -> Resource:
    reference = reference_of(call.value("request"))
    stored = await desk.read(reference) if reference.startswith("ServiceRequest/") else None
    if stored is None:
        raise unprocessable(
            "No such request is known here.",
            "此处没有该检查申请。",
            at=call.at("request"),
            code="not-found",
            detail="consent.text-request",
        )
    return stored.resource


def _words(call: Call, desk: Desk) -> Wording:
    day = desk.now.astimezone(ZoneInfo(settings_of(desk).time_zone)).date()
    words = wording(str(call.value("language") or "zh-CN"), day)
    if words is None:
        known = ", ".join(languages(day))
        raise unprocessable(
            f"There is no text in this language; there are: {known}.",
            f"没有该语言的知情同意书；可用：{known}。",
            at=call.at("language"),
            code="not-supported",
            detail="consent.text-language",
        )
    return words


def _agent_issues(call: Call, agent: Resource | None) -> list[Issue]:
    if agent is not None:
        return []
    return [
        Issue(
            "required",
            zh="知情同意书须写明对比剂：请在参数或申请中给出对比剂编码（CL02-A011:5.4.1）。",
            en="The text names the contrast agent: give its code as parameter or in the request (CL02-A011:5.4.1).",
            at=call.at("agent"),
            detail="consent.text-agent",
        )
    ]


def _dose_issues(call: Call, dose: Resource) -> list[Issue]:
    value = dose.get("value")
    if value is not None and value > 0 and (dose.get("code") or dose.get("unit")) in _MILLILITRES:
        return []
    return [
        Issue(
            "required",
            zh="知情同意书须写明计划用量（毫升，大于 0）（CL02-A011:5.4.1）。",
            en="The text names the planned dose, in millilitres and above 0 (CL02-A011:5.4.1).",
            at=call.at("dose"),
            detail="consent.text-dose",
        )
    ]


async def _standing(document: Resource, desk: Desk) -> Stored | None:
    """The text stored already that is this very one, for this exam."""
    wanted = sha256_of(attachment_of(document))
    for stored in await desk.search(f"DocumentReference?related={exams_of(document)[0]}&status=current"):
        same = not stored.source and is_consent_text(stored.resource)
        if same and extension_value(attachment_of(stored.resource), TEXT_SHA256) == wanted:
            return stored
    return None


def _rewritten(before: Resource, after: Resource) -> FhirError | None:
    changed = next(
        (name for name in {**before, **after} if name not in _FREE and before.get(name) != after.get(name)), None
    )
    if changed is None:
        return None
    return conflict(
        "The text of a consent does not change once it is stored; store another one.",
        "知情同意书文本一经保存不可更改；请另存新文本。",
        at=f"DocumentReference.{changed}",
        detail="consent.text-fixed",
    )


def _own_text_issues(document: Resource) -> list[Issue]:
    at = "DocumentReference.content[0].attachment"
    issues = [
        Issue(
            "value",
            zh="文本的哈希或大小与其内容不符，或没有内容。",
            en="A hash or size of the text does not fit what it holds, or it holds nothing.",
            at=f"{at}.{member}",
            detail="consent.text-hash",
        )
        for member in hash_faults(attachment_of(document))
    ]
    if len(document.get("content", [])) > 1:
        issues.append(_lacks("content", "一份文本只有一个附件。", "A text is one attachment."))
    if not attachment_of(document).get("language"):
        issues.append(_lacks("content[0].attachment.language", "须注明文本语言。", "The text states its language."))
    if not exams_of(document):
        zh, en = "须指明所针对的检查申请。", "The text names the examination it is for (a ServiceRequest)."
        issues.append(_lacks("context.related", zh, en))
    if not reference_of(document.get("subject")).startswith("Patient/"):
        issues.append(_lacks("subject", "须指明患者。", "The text names its patient."))
    return issues


def _lacks(member: str, zh: str, en: str) -> Issue:
    return Issue("required", zh=zh, en=en, at=f"DocumentReference.{member}", detail="consent.text-member")


def _hashed(document: Resource) -> list[Any]:
    """The content with both hashes and the size, where its sender has left them out."""
    [content] = document["content"]
    attachment = attachment_of(document)
    held = bytes_of(attachment) or b""
    attachment = {**attachment, "hash": sha1(held), "size": len(held)}
    if extension_value(attachment, TEXT_SHA256) is None:
        stated = {"url": TEXT_SHA256, "valueString": sha256_of(attachment)}
        attachment["extension"] = [*attachment.get("extension", []), stated]
    return [{**content, "attachment": attachment}]
