"""Contrast that somebody tells of without the right to record it late: what he sent is kept for the named person."""

from __future__ import annotations

import base64
import hashlib
import json
from typing import Any

from slipring.fhir.service import Desk, Resource, Save, Stored, successor

from slipring_consent.contrast.exam import exam_of_administration
from slipring_consent.reading import instant, reference_of
from slipring_consent.resources import PARAMETER, as_late_record, concept

_SENT = concept(PARAMETER, "sent", "所发内容", "what was sent")


async def kept(administration: Resource, desk: Desk) -> list[Save]:
    """The record as it was sent, once however often it is sent."""
    sent = {name: value for name, value in administration.items() if name not in ("id", "meta")}
    body = json.dumps(sent, ensure_ascii=False, default=str).encode()
    digest = base64.b64encode(hashlib.sha1(body, usedforsecurity=False).digest()).decode()  # Attachment.hash is SHA-1
    held = [entry for one in await waiting(administration, desk) for entry in one.resource.get("input", [])]
    if any(entry.get("valueAttachment", {}).get("hash") == digest for entry in held):
        return []
    attachment = {"contentType": "application/fhir+json", "data": base64.b64encode(body).decode(), "hash": digest}
    given: list[dict[str, Any]] = [{"type": _SENT, "valueAttachment": attachment}]
    exam = exam_of_administration(administration)
    return [Save(as_late_record(desk.new_id(), administration, exam, given, now=desk.now))]


async def waiting(administration: Resource, desk: Desk) -> list[Stored]:
    """What is kept of contrast for this exam and patient, and nobody has completed."""
    patient, exam = reference_of(administration.get("subject")), exam_of_administration(administration)
    about = f"&focus={exam or patient}" if exam or patient else ""
    found = await desk.search(f"Task?code=late-record&status=requested{about}")
    named = (patient, exam or patient)
    return [one for one in found if not one.source and _named(one.resource) == named]


def _named(task: Resource) -> tuple[str, str]:
    return reference_of(task.get("for")), reference_of(task.get("focus"))


async def completed(administration: Resource, who: str, desk: Desk) -> list[Save]:
    """What was kept of this very injection, by its time, is completed; of another it waits on."""
    done = {"status": "completed", "lastModified": instant(desk.now), "owner": {"reference": who}}
    return [successor(one, **done) for one in await waiting(administration, desk) if _same_time(one, administration)]


def _same_time(task: Stored, administration: Resource) -> bool:
    sent = _sent(task.resource)
    return sent is not None and all(
        sent.get(name) == administration.get(name) for name in ("effectiveDateTime", "effectivePeriod")
    )


def _sent(task: Resource) -> Resource | None:
    """The record a Task keeps; None where it keeps none, as a Task that a client wrote may."""
    held = (entry.get("valueAttachment", {}).get("data") for entry in task.get("input", []))
    data = next(filter(None, held), None)
    if data is None:
        return None
    try:
        sent = json.loads(base64.b64decode(data))
    except (ValueError, RecursionError):  # some other attachment, no JSON
        return None
    return sent if isinstance(sent, dict) else None
