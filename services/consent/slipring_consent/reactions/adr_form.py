"""The national report of a reaction, line by line from what is kept; what nothing answers stays empty and is listed. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from slipring.fhir.service import CANONICAL, Resource

from slipring_consent.catalogue import data_file
from slipring_consent.reactions.grades import worst_of
from slipring_consent.reactions.said import measures_of, signs_of
from slipring_consent.reading import codes_in, moment

CAUSALITY = f"{CANONICAL}/CodeSystem/adr-causality"
APPROVAL = "approval"  # in the system of an identifier or code: the national approval number (国药准字)


@dataclass(frozen=True, slots=True)
class Around:
    """What is kept around a reaction; whatever is not known is empty."""

    patient: Resource = field(default_factory=dict)
    injection: Resource = field(default_factory=dict)
    drug: Resource = field(default_factory=dict)  # the Medication: agent, lot, maker
    request: Resource = field(default_factory=dict)
    reporter: Resource = field(default_factory=dict)
    weight: Resource = field(default_factory=dict)  # the newest Observation of it
    vitals: tuple[Resource, ...] = ()
    other_drugs: tuple[Resource, ...] = ()
    earlier: tuple[Resource, ...] = ()  # allergies that are none of this reaction
    timing: str = ""  # acute, late or very late, in words
    kind: str = "first"  # of the report: first | follow-up


def filled(event: Resource, around: Around, now: datetime, zone: str) -> dict[str, str]:
    """Every line of the form, '' where nothing is kept of it."""
    written = data_file("adr_form.toml")
    found = {
        **_person(around, now, zone, written),
        **_drug(around, zone),
        **_reaction(event, around, zone, written),
        **_reporter(around, now, zone),
    }
    return {key: found.get(key, "").strip() for key in written["lines"]}


def missing(lines: Mapping[str, str]) -> list[str]:
    """The keys of the lines that the form demands and nothing answers."""
    written = data_file("adr_form.toml")["lines"]
    return [key for key, line in written.items() if line["demanded"] and not lines[key]]


def initials(patient: Resource) -> str:
    """A name as its first letter each; of a Chinese name the family name alone.

    >>> initials({"name": [{"text": "王小明"}]}), initials({"name": [{"family": "Kim", "given": ["Min Ho"]}]})
    ('王**', 'K.M.H.')
    """
    for name in patient.get("name", []):
        said = str(name.get("text") or " ".join([*name.get("given", []), name.get("family", "")])).strip()
        if not name.get("text"):
            said = " ".join([name.get("family", ""), *name.get("given", [])]).strip()
        if said and not said.isascii():
            return said[0] + "*" * (len(said.replace(" ", "")) - 1)
        if said:
            return "".join(f"{part[0]}." for part in said.split())
    return ""


def _person(around: Around, now: datetime, zone: str, written: Mapping[str, Any]) -> dict[str, str]:
    patient = around.patient
    numbers = [
        one
        for one in patient.get("identifier", [])
        if any(code in ("MR", "PI") for _, code in codes_in(one.get("type")))
    ]
    weight = around.weight.get("valueQuantity", {})
    return {
        "patient_initials": initials(patient),
        "sex": written["sex"].get(str(patient.get("gender", "")), ""),
        "age_years": _age(str(patient.get("birthDate", "")), now, zone),
        "weight_kg": str(weight["value"]) if weight.get("value") is not None and weight.get("code") == "kg" else "",
        "telephone": _telephone(patient),
        "record_number": next((str(one["value"]) for one in numbers if one.get("value")), ""),
        "disease": _words(around.request.get("reasonCode", [])),
        "earlier_reactions": "；".join(_word(one.get("code")) for one in around.earlier),
    }


def _drug(around: Around, zone: str) -> dict[str, str]:
    injection, drug = around.injection, around.drug
    dosage = injection.get("dosage", {})
    period = injection.get("effectivePeriod", {})
    dose, rate = dosage.get("dose", {}), dosage.get("rateQuantity", {})
    usage = [
        f"{dose['value']} {dose.get('unit', '')}" if "value" in dose else "",
        _word(dosage.get("route")),
        f"{rate['value']} {rate.get('unit', '')}" if "value" in rate else "",
    ]
    approval = [one for one in drug.get("identifier", []) if APPROVAL in str(one.get("system", ""))]
    form = _word(drug.get("form"))
    return {
        "approval_number": next((str(one.get("value", "")) for one in approval), ""),
        "generic_name": " ".join(
            filter(None, (_word(drug.get("code") or injection.get("medicationCodeableConcept")), form))
        ),
        "manufacturer": str(drug.get("manufacturer", {}).get("display", "")),
        "lot": str(drug.get("batch", {}).get("lotNumber", "")),
        "usage": "，".join(one.strip() for one in usage if one.strip()),
        "used_from": _time(injection.get("effectiveDateTime") or period.get("start"), zone),
        "used_until": _time(period.get("end"), zone),
        "used_for": _purpose(around.request),
        "concomitant": "；".join(_word(one.get("medicationCodeableConcept")) for one in around.other_drugs),
    }


def _reaction(event: Resource, around: Around, zone: str, written: Mapping[str, Any]) -> dict[str, str]:
    severity = worst_of(event.get("severity"))
    outcome = next((code for _, code in codes_in(event.get("outcome"))), "")
    causality = [part for one in event.get("suspectEntity", []) for part in one.get("causality", [])]
    assessed = [code for one in causality for system, code in codes_in(one.get("assessment")) if system == CAUSALITY]
    names = data_file("reaction_vocabulary.toml")["adr-causality"]["codes"]
    return {
        "report_kind": written["report_kind"][around.kind],
        "report_class": "严重" if severity == "severe" or outcome == "fatal" else "一般" if severity else "",
        "reaction_name": _words(signs_of(event)) or _word(event.get("event")),
        "reaction_time": _onset(event, around, zone),
        "process": _course(event, around.vitals, zone),
        "outcome": written["outcome"].get(outcome, ""),
        "causality": next((names[code]["zh"] for code in assessed if code in names), ""),
    }


def _purpose(request: Resource) -> str:
    """For which exam the drug was given, and why that was asked for; without an exam nobody knows."""
    if not request:
        return ""
    code = request.get("code", {})
    named = [str(code.get("text", "")), *(str(one.get("display", "")) for one in code.get("coding", []))]
    exam = next(filter(None, named), str(data_file("adr_form.toml")["purpose"]["contrast"]))
    reason = _words(request.get("reasonCode", []))
    return f"{exam}（{reason}）" if reason else exam


def _onset(event: Resource, around: Around, zone: str) -> str:
    began = _time(event.get("date"), zone)
    return f"{began}（{around.timing}）" if began and around.timing else began


def _reporter(around: Around, now: datetime, zone: str) -> dict[str, str]:
    person = around.reporter
    name: Resource = next(iter(person.get("name", [])), {})
    titles = [
        _word(one.get("code"))
        for one in person.get("qualification", [])
        if any("staff-title" in system for system, _ in codes_in(one.get("code")))
    ]
    return {
        "reporter": str(name.get("text") or f"{name.get('family', '')}{''.join(name.get('given', []))}"),
        "reporter_occupation": next(iter(titles), ""),
        "reporter_telephone": _telephone(person),
        "reported_on": now.astimezone(ZoneInfo(zone)).date().isoformat(),
    }


def _course(event: Resource, vitals: Iterable[Resource], zone: str) -> str:
    """What was seen, measured and done, each with its time, as the record has it."""
    told = [(_time(event.get("date"), zone), f"出现：{_words(signs_of(event))}")] if signs_of(event) else []
    for one in measures_of(event):
        dose = one.get("dose", {})
        amount = f"{dose.get('value')} {dose.get('unit', '')}" if "value" in dose else ""
        told.append(
            (_time(one.get("at"), zone), " ".join(filter(None, (_word(one.get("what")), amount, one.get("note", "")))))
        )
    for one in vitals:
        parts = [
            f"{_word(each.get('code'))} {each.get('valueQuantity', {}).get('value', '')} {each.get('valueQuantity', {}).get('unit', '')}"
            for each in one.get("component", [])
        ]
        told.append((_time(one.get("effectiveDateTime"), zone), "，".join(parts)))
    return "；".join(f"{at} {said}".strip() for at, said in sorted(told, key=lambda row: row[0]))


def _word(concept: Resource | None) -> str:
    """A concept in Chinese as far as it says so."""
    if not concept:
        return ""
    coding: Resource = next(iter(concept.get("coding", [])), {})
    return str(concept.get("text") or coding.get("display") or coding.get("code", "")).partition(" / ")[0]


def _words(concepts: Iterable[Resource]) -> str:
    return "、".join(filter(None, map(_word, concepts)))


def _time(text: Any, zone: str) -> str:
    at = moment(text, zone) if text else None
    return at.astimezone(ZoneInfo(zone)).strftime("%Y-%m-%d %H:%M") if at else ""


def _age(born: str, now: datetime, zone: str) -> str:
    try:
        day = date.fromisoformat(born)
    except ValueError:
        return ""
    today = now.astimezone(ZoneInfo(zone)).date()
    return str(today.year - day.year - ((today.month, today.day) < (day.month, day.day)))


def _telephone(person: Resource) -> str:
    return next(
        (str(one["value"]) for one in person.get("telecom", []) if one.get("system") == "phone" and one.get("value")),
        "",
    )
