"""From an element of a FHIR type to search rows: one small function per type, bound to a parameter."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import tzinfo
from typing import Any

from slipring.fhir.search import amount, moment
from slipring.fhir.search.fold import LONGEST, bounded, folded, reference_parts, type_in_url
from slipring.fhir.search.parameter import Path, SearchParameter
from slipring.fhir.search.row import Date, Quantity, Reference, Rows, Text, Token

Emit = Callable[[Any, Rows, tzinfo], None]


def emitter(parameter: SearchParameter, path: Path) -> Emit:
    """The function that turns an element of the path's type into rows of the parameter."""
    return emitter_of(parameter, path.kind, parameter.key)


def emitter_of(parameter: SearchParameter, kind: str, key: str) -> Emit:
    """The same, with rows that bear another name."""
    if parameter.type in ("token", "uri"):
        return _token_emitter(key, kind)
    if parameter.type == "reference":
        return _reference_emitter(key, kind, frozenset(parameter.only))
    if parameter.type in ("number", "quantity"):
        return _amount_emitter(key, kind)
    return _date_emitter(key, kind) if parameter.type == "date" else _text_emitter(key, kind)


# --- tokens -------------------------------------------------------------------------------------------------


def _token(key: str, system: Any, code: Any, found: Rows) -> None:
    if type(code) is not str or not code:
        return
    if system is None:
        system = ""
    elif type(system) is not str:
        return
    if len(code) > LONGEST or len(system) > LONGEST:
        system, code = bounded(system), bounded(code)
    found.tokens.append(Token(key, system, code))


def _text(key: str, value: Any, found: Rows) -> None:
    if type(value) is str and value and "\x00" not in value:
        found.strings.append(Text(key, folded(value), value))


def _token_emitter(key: str, kind: str) -> Emit:
    text_key, type_key = f"{key}:text", f"{key}:of-type"

    def coding(value: Any, found: Rows, zone: tzinfo) -> None:
        if type(value) is dict:
            _token(key, value.get("system"), value.get("code"), found)
            if "display" in value:
                _text(text_key, value["display"], found)

    def concept(value: Any, found: Rows, zone: tzinfo) -> None:
        if type(value) is dict:
            if "text" in value:
                _text(text_key, value["text"], found)
            for item in _listed(value.get("coding")):
                coding(item, found, zone)

    def contact(value: Any, found: Rows, zone: tzinfo) -> None:
        if type(value) is dict:
            _token(key, value.get("system"), value.get("value"), found)

    def identifier(value: Any, found: Rows, zone: tzinfo) -> None:
        contact(value, found, zone)
        kind = value.get("type") if type(value) is dict else None
        if type(kind) is dict:
            _text(text_key, kind.get("text"), found)
            for item in _listed(kind.get("coding")):
                if type(item) is dict and type(system := item.get("system")) is str and type(item.get("code")) is str:
                    _token(type_key, f"{system}|{item['code']}", value.get("value"), found)

    def presence(value: Any, found: Rows, zone: tzinfo) -> None:
        found.tokens.append(Token(key, "", "false" if value is False else "true"))

    def canonical(value: Any, found: Rows, zone: tzinfo) -> None:
        if type(value) is str:
            for form in _canonical_forms(value):
                _token(key, None, form, found)

    def plain(value: Any, found: Rows, zone: tzinfo) -> None:
        if type(value) is bool:
            value = "true" if value else "false"
        _token(key, None, value, found)

    emitters = {"Coding": coding, "CodeableConcept": concept, "Identifier": identifier, "ContactPoint": contact}
    return (emitters | {"presence": presence, "canonical": canonical}).get(kind, plain)


def _canonical_forms(value: str) -> Iterable[str]:
    """A canonical is found with its version and without."""
    url, bar, _ = value.partition("|")
    return (value, url) if bar else (value,)


def _listed(value: Any) -> list[Any]:
    return value if type(value) is list else []


# --- references, dates, amounts, strings ------------------------------------------------------------------------


def _reference_emitter(key: str, kind: str, only: frozenset[str]) -> Emit:
    identifier_key = f"{key}:identifier"

    def reference(value: Any, found: Rows, zone: tzinfo) -> None:
        if type(value) is not dict:
            return
        declared, literal, identifier = value.get("type"), value.get("reference"), value.get("identifier")
        parts = reference_parts(literal) if type(literal) is str else None
        if only:
            named = (parts[0] or type_in_url(parts[1]) or declared) if parts else declared
            # An identifier alone, without a type, may mean any target: it is kept.
            if named not in only and (literal is not None or named is not None):
                return
        if parts:
            found.references.append(Reference(key, *parts))
        if type(identifier) is dict:
            _token(identifier_key, identifier.get("system"), identifier.get("value"), found)

    def canonical(value: Any, found: Rows, zone: tzinfo) -> None:
        if type(value) is str:
            parts = [reference_parts(form) for form in _canonical_forms(value)]
            found.references.extend(Reference(key, *part) for part in parts if part)

    return reference if kind == "Reference" else canonical


def _date_emitter(key: str, kind: str) -> Emit:
    def point(value: Any, found: Rows, zone: tzinfo) -> None:
        interval = moment.interval(value, zone) if type(value) is str else None
        if interval:
            found.dates.append(Date(key, *interval))

    def period(value: Any, found: Rows, zone: tzinfo) -> None:
        interval = _period(value, zone)
        if interval:
            found.dates.append(Date(key, *interval))

    def timing(value: Any, found: Rows, zone: tzinfo) -> None:
        """FHIR: only the outer limits of a schedule count."""
        if type(value) is not dict:
            return
        events = [moment.interval(event, zone) for event in _listed(value.get("event")) if type(event) is str]
        repeat = value.get("repeat")
        bounds = _period(repeat.get("boundsPeriod"), zone) if type(repeat) is dict else None
        limits = [interval for interval in (*events, bounds) if interval]
        if limits:
            found.dates.append(Date(key, min(limit.low for limit in limits), max(limit.high for limit in limits)))

    return {"Period": period, "Timing": timing}.get(kind, point)


def _period(value: Any, zone: tzinfo) -> moment.Interval | None:
    if type(value) is not dict:
        return None
    start, end = value.get("start"), value.get("end")
    if not (start is None or type(start) is str) or not (end is None or type(end) is str):
        return None
    return moment.period(start, end, zone)


def _amount_emitter(key: str, kind: str) -> Emit:
    def counted(value: Any, found: Rows, zone: tzinfo) -> None:
        stored = amount.stored(kind, value)
        if stored:
            found.quantities.append(Quantity(key, *stored))

    return counted


_PARTS = {
    "HumanName": ("text", "family", "given", "prefix", "suffix"),
    "Address": ("text", "line", "city", "district", "state", "postalCode", "country"),
}


def _text_emitter(key: str, kind: str) -> Emit:
    def text(value: Any, found: Rows, zone: tzinfo) -> None:
        _text(key, value, found)

    names = _PARTS.get(kind, ())

    def parts(value: Any, found: Rows, zone: tzinfo) -> None:
        if type(value) is dict:
            for name in names:
                part = value.get(name)
                for item in part if type(part) is list else (part,):
                    text(item, found, zone)

    return parts if names else text
