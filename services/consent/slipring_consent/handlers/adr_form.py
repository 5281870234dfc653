"""`AdverseEvent/$adr-form`: the national report of a reaction, as data and to print; nothing is stored."""

from __future__ import annotations

import base64
import json
from functools import cache

from jinja2 import Environment, Template
from slipring.fhir.merged import any_of, merge_set
from slipring.fhir.outcome import unprocessable
from slipring.fhir.service import Call, Changes, Desk, Resource, Stored

from slipring_consent.catalogue import data_file, read_data
from slipring_consent.department import limits_of, settings_of
from slipring_consent.handlers.handing_over import exam_behind
from slipring_consent.handlers.on_paper import format_asked, media_type, printed
from slipring_consent.reactions.adr_form import Around, filled, missing
from slipring_consent.reactions.allergy import allergy_id
from slipring_consent.reactions.said import VITALS, suspects_of
from slipring_consent.reactions.timing import in_words, timing
from slipring_consent.reading import extensions, moment, reference_of

_WEIGHT = "http://loinc.org|29463-7"


async def adr_form_asked(call: Call, desk: Desk) -> Changes:
    """The form with what is kept, what is missing of it, and the sheet to print."""
    if call.target is None:
        raise unprocessable("Called on one reaction.", "须针对一条不良反应记录调用。", detail="consent.reaction-one")
    event, wanted = call.target.resource, format_asked(call)
    written = data_file("adr_form.toml")
    kind = str(call.value("kind") or "first")
    if kind not in written["report_kind"]:
        raise unprocessable(
            f"kind is one of {', '.join(written['report_kind'])}.",
            f"kind 须为以下之一：{'、'.join(written['report_kind'])}。",
            at=call.at("kind"),
            code="code-invalid",
            detail="consent.adr-kind",
        )
    lines = filled(event, await _around(event, kind, desk), desk.now, settings_of(desk).time_zone)
    lacking = missing(lines)
    number = str(event["id"])
    told = {
        "form": written["form"],
        "version": written["version"],
        "reaction": f"AdverseEvent/{number}",
        "lines": lines,
        "missing": lacking,
    }
    page = _template().render(
        form=written["form"], lines=written["lines"], values=lines, missing=lacking, number=number[-8:]
    )
    data = json.dumps(told, ensure_ascii=False)
    parts: list[Resource] = [
        {"name": "form", "valueAttachment": _attachment("application/json", data.encode())},
        {"name": "page", "valueAttachment": _attachment(media_type(wanted), await printed(page, wanted, call))},
        *({"name": "missing", "valueCode": key.replace("_", "-")} for key in lacking),
    ]
    return Changes(answer={"resourceType": "Parameters", "parameter": parts})


async def _around(event: Resource, kind: str, desk: Desk) -> Around:
    injection = await _read(next(iter(suspects_of(event, "MedicationAdministration")), ""), desk)
    drug = await _read(reference_of(injection.get("medicationReference")), desk)
    patient = reference_of(event.get("subject"))
    person = any_of(await merge_set(patient, desk)) if patient.startswith("Patient/") else ""
    after = timing(event, injection, limits_of(desk), settings_of(desk).time_zone)
    seen = [await _read(reference_of(one.get("valueReference")), desk) for one in extensions(event, VITALS)]
    return Around(
        kind=kind,
        timing=in_words(*after) if after else "",
        patient=await _read(patient, desk),
        injection=injection,
        drug=drug,
        request=await _read(await exam_behind(event, desk), desk),
        reporter=await _read(reference_of(event.get("recorder")), desk),
        weight=_newest(await _found(f"Observation?patient={person}&code={_WEIGHT}", person, desk), desk),
        vitals=tuple(one for one in seen if one),
        other_drugs=tuple(
            one.resource for one in await _found(f"MedicationStatement?patient={person}&status=active", person, desk)
        ),
        earlier=tuple(
            one.resource
            for one in await _found(f"AllergyIntolerance?patient={person}", person, desk)
            if one.resource["id"] != allergy_id(event)
        ),
    )


async def _read(reference: str, desk: Desk) -> Resource:
    stored = await desk.read(reference) if "/" in reference else None
    return stored.resource if stored else {}


async def _found(query: str, person: str, desk: Desk) -> list[Stored]:
    return await desk.search(query) if person else []


def _newest(found: list[Stored], desk: Desk) -> Resource:
    zone = settings_of(desk).time_zone
    dated = [(at, one.resource) for one in found if (at := moment(one.resource.get("effectiveDateTime"), zone))]
    return max(dated, key=lambda pair: pair[0])[1] if dated else {}


def _attachment(kind: str, content: bytes) -> Resource:
    return {"contentType": kind, "data": base64.b64encode(content).decode()}


@cache
def _template() -> Template:
    return Environment(autoescape=True).from_string(read_data("adr_form.html"))
