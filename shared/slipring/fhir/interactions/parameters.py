"""What an operation is called with, held against what it declares: names, types, how often, and what must be said.

A name that is not known is refused like an unknown search parameter: misspelt, it would be passed over in silence.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from slipring.fhir.interactions.asked import Asked
from slipring.fhir.outcome import Issue
from slipring.fhir.service import Operation, Parameter, Resource

_VALUE = re.compile(r"value[A-Z]")
_INTEGER = re.compile(r"-?(0|[1-9][0-9]{0,9})", re.ASCII)
_PLACE = re.compile(r"Parameters\.parameter(\[(?P<number>\d+)\]|\.where\(name='(?P<name>[^']+)'\))")
# Types whose values are written alike stand for one another: a client that sends a code as a string says the same.
_ALIKE: Sequence[frozenset[str]] = (
    frozenset({"string", "code", "id", "uri", "url", "canonical", "uuid", "oid", "markdown"}),
    frozenset({"date", "dateTime", "instant"}),
    frozenset({"integer", "positiveInt", "unsignedInt"}),
)
_WHOLE = {"decimal": _ALIKE[2] | {"decimal"}}
_PARTS = frozenset({"", "BackboneElement"})
_ANY = frozenset({"Resource", "Any"})


def addressed(operation: Operation, asked: Asked) -> Resource:
    """The Parameters that the address of a GET says, each value of the declared type as far as it can be one."""
    declared = {one.name: one.type for one in operation.parameters if one.use == "in"}
    said = [
        {"name": name, f"value{declared[name][:1].upper()}{declared[name][1:]}": _value(declared[name], text)}
        for name, text in asked.query
        if name in declared
    ]
    return {"resourceType": "Parameters", **({"parameter": said} if said else {})}


def named(place: str, parameters: Resource) -> str:
    """A place in the Parameters as the address has it: the parameter's name."""
    said = parameters.get("parameter", [])
    found = _PLACE.match(place)
    if found is None:
        return place
    return found["name"] or (str(said[int(found["number"])]["name"]) if int(found["number"]) < len(said) else place)


def _value(declared: str, text: str) -> Any:
    if declared == "Reference":
        return {"reference": text}
    if declared == "boolean":
        return {"true": True, "false": False}.get(text, text)
    return int(text) if declared == "integer" and _INTEGER.fullmatch(text) else text


def faults(operation: Operation, parameters: Resource) -> list[Issue]:
    """All that is wrong with the parameters of a call; each issue points at its place."""
    asked = [one for one in operation.parameters if one.use == "in"]
    return list(_faults(asked, parameters.get("parameter", []), "Parameters.parameter"))


def _faults(asked: Sequence[Parameter], given: Sequence[Resource], where: str) -> Iterator[Issue]:
    known, seen = {one.name: one for one in asked}, dict[str, int]()
    for place, entry in enumerate(given):
        name, at = str(entry.get("name", "")), f"{where}[{place}]"
        declared = known.get(name)
        if declared is None:
            yield _unknown(name, known, at)
            continue
        seen[name] = seen.get(name, 0) + 1
        if declared.max != "*" and seen[name] > int(declared.max):
            yield _too_often(declared, at)
        elif not _fits(declared, entry):
            yield _other_type(declared, at)
        elif declared.parts:
            yield from _faults(declared.parts, entry.get("part", []), f"{at}.part")
    yield from (_missing(one, where) for one in asked if one.min > 0 and one.name not in seen)


def _fits(declared: Parameter, entry: Resource) -> bool:
    if declared.parts or declared.type in _PARTS:
        return "part" in entry
    if "resource" in entry:
        return declared.type in _ANY or entry["resource"].get("resourceType") == declared.type
    value = next((member.removeprefix("value") for member in entry if _VALUE.match(member)), "")
    return _type(value) in _accepted(declared.type)


def _accepted(declared: str) -> frozenset[str]:
    alike = next((group for group in _ALIKE if declared in group), frozenset({declared}))
    return _WHOLE.get(declared, alike)


def _type(member: str) -> str:
    """The type that a member `value[x]` names: `Code` is code, `CodeableConcept` stays."""
    lower = member[:1].lower() + member[1:]
    return lower if lower in _PRIMITIVES else member


_PRIMITIVES = frozenset().union(*_ALIKE) | {"decimal", "boolean", "base64Binary", "time"}


def _unknown(name: str, known: Mapping[str, Parameter], at: str) -> Issue:
    names = ", ".join(known) or "-"
    return Issue(
        "not-supported",
        zh=f"该操作没有此参数；可用：{names}。",
        en=f"The operation has no such parameter; it knows: {names}.",
        at=f"{at}.name" if name else at,
        detail="kernel.parameter-unknown",
    )


def _too_often(declared: Parameter, at: str) -> Issue:
    return Issue(
        "invalid",
        zh=f"参数 {declared.name} 至多出现 {declared.max} 次。",
        en=f"The parameter {declared.name} is repeated: {declared.max} at most.",
        at=at,
        detail="kernel.parameter-repeated",
    )


def _other_type(declared: Parameter, at: str) -> Issue:
    named = declared.type or "part"
    return Issue(
        "invalid",
        zh=f"参数 {declared.name} 的类型须为 {named}。",
        en=f"The parameter {declared.name} is of type {named}.",
        at=at,
        detail="kernel.parameter-type",
    )


def _missing(declared: Parameter, where: str) -> Issue:
    return Issue(
        "required",
        zh=f"缺少参数 {declared.name}。",
        en=f"The parameter {declared.name} is missing.",
        at=f"{where}.where(name='{declared.name}')",
        detail="kernel.parameter-missing",
    )
