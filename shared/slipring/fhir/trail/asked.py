"""What a search on AuditEvent asks, as conditions on audit rows. Pure: strings in, SQL with arguments out.

Values of one parameter separated by commas are alternatives; a parameter given twice must hold twice.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import tzinfo
from typing import Any

from slipring.fhir.outcome import FhirError, invalid
from slipring.fhir.search.moment import interval
from slipring.fhir.trail.event import CLIENT, SERVICE, codings, outcomes

# name -> (type, what the CapabilityStatement says of it)
PARAMETERS: dict[str, tuple[str, str]] = {
    "_id": ("token", ""),
    "_lastUpdated": ("date", "when it was recorded"),
    "action": ("token", "C, R, U, D or E"),
    "agent": ("reference", "the person: Practitioner/[id]"),
    "altid": ("token", "the client"),
    "date": ("date", "when it was recorded"),
    "entity": ("reference", "what was touched or given out, in any version or in one"),
    "outcome": ("token", "0, 4 or 8"),
    "patient": ("reference", "whoever something was told about, by a read, a search or a write"),
    "site": ("token", "the service"),
    "subtype": ("token", "the interaction"),
    "type": ("token", "rest, a DICOM event or a lifecycle event"),
}
CONTROLS = ("_count", "_sort", "_total", "_summary", "_elements")
DEFAULT_COUNT, MOST = 20, 1000
_REFERENCE = re.compile(
    r"^(?:https?://[^ ]+/)?([A-Z][A-Za-z]+)/([A-Za-z0-9\-.]{1,64})(?:/_history/([A-Za-z0-9\-.]{1,64}))?$"
)
_ID = re.compile(r"[A-Za-z0-9\-.]{1,64}", re.ASCII)
_PREFIXED = re.compile(r"^(eq|ne|gt|lt|ge|le|sa|eb)?(.*)$", re.DOTALL)
_COMPARED = {
    "eq": "(a.at >= {low} AND a.at < {high})",
    "ne": "(a.at < {low} OR a.at >= {high})",
    "gt": "a.at >= {high}",
    "sa": "a.at >= {high}",
    "lt": "a.at < {low}",
    "eb": "a.at < {low}",
    "ge": "a.at >= {low}",
    "le": "a.at < {high}",
}
Pairs = Sequence[tuple[str, str]]


@dataclass(slots=True)
class Wanted:
    """Conditions that must all hold, their arguments, and how the page is cut."""

    conditions: list[str] = field(default_factory=list)
    arguments: list[Any] = field(default_factory=list)
    count: int = DEFAULT_COUNT
    ascending: bool = False
    total: str = ""
    summary: str = ""
    elements: tuple[str, ...] = ()

    def bound(self, value: Any, kind: str) -> str:
        """A placeholder for a value."""
        self.arguments.append(value)
        return f"${len(self.arguments)}::{kind}"

    def where(self) -> str:
        """The WHERE clause."""
        return " AND ".join(self.conditions) or "true"


def wanted(pairs: Pairs, service: str, letter: str, zone: tzinfo) -> Wanted:
    """Read the parameters; an unknown one, a modifier or a value of another kind is 400 and names what is taken."""
    found = Wanted()
    for name, value in pairs:
        if name in CONTROLS:
            _control(found, name, value)
            continue
        if name not in PARAMETERS:
            known = ", ".join(sorted(PARAMETERS))
            raise invalid(
                f"AuditEvent is not searched by {name[:64]}; known: {known}.",
                f"AuditEvent 不支持检索参数 {name[:64]}；可用：{known}。",
                at=name[:64],
                detail="kernel.trail-parameter-unknown",
            )
        if not value:
            continue
        alternatives = [_one(found, name, text, service, letter, zone) for text in value.split(",")]
        found.conditions.append(f"({' OR '.join(alternatives)})")
    return found


def _one(found: Wanted, name: str, text: str, service: str, letter: str, zone: tzinfo) -> str:
    if name in ("date", "_lastUpdated"):
        return _dated(found, name, text, zone)
    if name == "_id":
        own, _, number = text.partition("-")
        there = own == letter and number.isascii() and number.isdigit() and len(number) < 19
        return f"a.id = {found.bound(int(number), 'bigint')}" if there else "false"
    if PARAMETERS[name][0] == "reference":
        return _REFERENCES[name](found, name, text)
    return _token(found, name, text, service)


def _dated(found: Wanted, name: str, text: str, zone: tzinfo) -> str:
    match = _PREFIXED.match(text)
    moment = interval((match[2] if match else "").replace(" ", "+"), zone)
    if match is None or moment is None:
        raise _bad(name, "a date or time, with a prefix or without", "日期或时刻")
    compared = _COMPARED[match[1] or "eq"]
    sides = {side: found.bound(getattr(moment, side), "timestamptz") for side in ("low", "high") if side in compared}
    return compared.format(**sides)


def _token(found: Wanted, name: str, text: str, service: str) -> str:
    system, bar, code = text.rpartition("|")
    if name == "altid":
        return f"a.client = {found.bound(code, 'text')}" if not system or system == CLIENT else "false"
    if name == "site":
        return "true" if code == service and (not system or system == SERVICE) else "false"
    if name == "outcome":
        return _outcome(found, code)
    fitting = [one for one, coded in codings().items() if one and _fits(coded, name, system if bar else None, code)]
    other = _fits(codings()[""], name, system if bar else None, code)
    listed = found.bound(fitting, "text[]")
    if not other:
        return f"a.interaction = ANY({listed})"
    every = found.bound([one for one in codings() if one], "text[]")
    return f"(a.interaction = ANY({listed}) OR a.interaction <> ALL({every}))"


def _fits(coded: Any, name: str, system: str | None, code: str) -> bool:
    if name == "action":
        return bool(coded["action"] == code)
    coding = coded.get(name)
    return coding is not None and code in ("", coding["code"]) and system in (None, coding["system"])


def _outcome(found: Wanted, code: str) -> str:
    starts = sorted(outcomes())
    for (start, told), following in zip(starts, [*(s for s, _ in starts[1:]), 1000], strict=True):
        if str(told) == code:
            return f"(a.outcome >= {found.bound(start, 'int')} AND a.outcome < {found.bound(following, 'int')})"
    return "false"


def _agent(found: Wanted, name: str, text: str) -> str:
    kind, person, _ = _reference(name, text, "Practitioner")
    return f"a.practitioner = {found.bound(f'{kind}/{person}', 'text')}"


def _patient(found: Wanted, name: str, text: str) -> str:
    kind, person, _ = _reference(name, text, "Patient")
    if kind != "Patient":
        return "false"
    return f"a.id IN (SELECT p.audit FROM audit_patient p WHERE p.patient = {found.bound(person, 'text')})"


def _entity(found: Wanted, name: str, text: str) -> str:
    kind, person, version = _reference(name, text, "")
    exact = f"{kind}/{person}" + (f"/_history/{version}" if version else "")
    whole, within = found.bound(exact, "text"), found.bound(f"{exact}/", "text")
    return f"(a.resource = {whole} OR starts_with(a.resource, {within}) OR {whole} = ANY(a.disclosed))"


_REFERENCES: dict[str, Callable[[Wanted, str, str], str]] = {"agent": _agent, "patient": _patient, "entity": _entity}


def _reference(name: str, text: str, default: str) -> tuple[str, str, str]:
    match = _REFERENCE.match(text)
    if match:
        return match[1], match[2], match[3] or ""
    if default and _ID.fullmatch(text):
        return default, text, ""
    raise _bad(name, "a reference, Type/id", "引用（类型/标识）")


def _control(found: Wanted, name: str, value: str) -> None:
    if name == "_count":
        if not (value.isascii() and value.isdigit() and len(value) < 10):
            raise _bad(name, "a whole number", "整数")
        found.count = min(int(value), MOST)
    elif name == "_sort":
        if value.removeprefix("-") not in ("date", "_lastUpdated"):
            raise _bad(name, "date or -date", "date 或 -date")
        found.ascending = not value.startswith("-")
    elif name == "_total":
        if value not in ("none", "estimate", "accurate"):
            raise _bad(name, "none, estimate or accurate", "none、estimate 或 accurate")
        found.total = value
    elif name == "_summary":
        if value not in ("true", "text", "data", "count", "false"):
            raise _bad(name, "true, text, data, count or false", "true、text、data、count 或 false")
        found.summary = "" if value == "false" else value
    else:
        found.elements = tuple(part for part in value.split(",") if part)


def _bad(name: str, en: str, zh: str) -> FhirError:
    return invalid(f"{name} is {en}.", f"{name} 须为{zh}。", at=name, detail="kernel.trail-value")
