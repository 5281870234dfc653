"""Which resources a search of a desk in memory finds: parameters by their members, tokens and references as they stand."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any

from slipring.fhir.service import Resource

_MEMBERS: Mapping[str, tuple[str, ...]] = {
    "_id": ("id",),
    "based-on": ("basedOn",),
    "basedon": ("basedOn",),
    "business-status": ("businessStatus",),
    "patient": ("for", "subject", "patient"),
    "subject": ("subject", "for"),
    "data": ("provision.data.reference",),
    "part-of": ("partOf",),
    "performer": ("performer", "performer.actor"),
    "request": ("request", "orderRequest", "requestIdentifier"),
    "related": ("context.related",),
    "result": ("result",),
    "identified": ("identifiedDateTime",),
    "agent": ("agent.who",),
    "implicated": ("implicated",),
    "target": ("target",),
    "substance": ("suspectEntity.instance",),
    "combo-code": ("code", "component.code"),
    "context": ("context", "encounter", "useContext.valueCodeableConcept"),
    "encounter": ("encounter", "context"),
    "questionnaire": ("questionnaire",),
    "practitioner": ("practitioner",),
    "role": ("code",),
    "recipient": ("recipient",),
    "supporting-info": ("supportingInfo",),
    "source-system": ("group.source",),
    "link": ("link.other",),
    "lot-number": ("batch.lotNumber",),
    "effective-time": ("effectiveDateTime", "effectivePeriod.start"),
    "medication": ("medicationReference",),
    "birthdate": ("birthDate",),
    "actor": ("participant.actor",),
    "service-type": ("serviceType",),
    "authored": ("authoredOn", "authored"),
    "date": ("start", "effectiveDateTime", "period.start"),
    "period": ("executionPeriod.start", "period.start"),
}
_COMPARISONS: Mapping[str, Callable[[Any, Any], bool]] = {
    "ge": operator.ge,
    "gt": operator.gt,
    "le": operator.le,
    "lt": operator.lt,
}

# Moments are compared with ge and lt, as a search over a period does.
_WHEN = re.compile(r"(?P<prefix>ge|lt)(?P<at>\d{4}-\d{2}-\d{2}T.+)")


def matches(resource: Resource, parameter: str, wanted: str) -> bool:
    """Whether a resource fits one parameter of a search; commas mean or."""
    name, _, modifier = parameter.partition(":")
    alternatives = wanted.split(",")
    members = _MEMBERS.get(name, (_camel(name),))
    found = [value for member in members for value in _at(resource, member.split("."))]
    if name in ("date", "recorded", "period", "authored-on", "authored") and wanted[:2] in _COMPARISONS:
        compare, limit = _COMPARISONS[wanted[:2]], datetime.fromisoformat(wanted[2:])
        return any(compare(datetime.fromisoformat(value), limit) for value in found)
    if modifier == "missing":
        return (not found) == (wanted == "true")
    hit = any(_is(value, alternative) for value in found for alternative in alternatives)
    return not hit if modifier == "not" else hit


def _camel(name: str) -> str:
    first, *others = name.split("-")
    return first + "".join(other.capitalize() for other in others)


def _at(node: Any, path: list[str]) -> Iterator[Any]:
    if isinstance(node, list):
        for item in node:
            yield from _at(item, path)
    elif not path:
        yield node
    elif isinstance(node, Mapping) and path[0] in node:
        yield from _at(node[path[0]], path[1:])


def _is(value: Any, wanted: str) -> bool:
    if isinstance(value, Mapping):
        return _mapping_is(value, wanted)
    if isinstance(value, bool):
        return str(value).lower() == wanted
    compared = _WHEN.fullmatch(wanted)
    if compared:
        given, bound = datetime.fromisoformat(str(value)), datetime.fromisoformat(compared["at"])
        return given >= bound if compared["prefix"] == "ge" else given < bound
    return wanted in (str(value), str(value).partition("|")[0])  # a canonical is found without its version, too


def _mapping_is(value: Mapping[str, Any], wanted: str) -> bool:
    if "reference" in value:
        reference = re.sub(r"/_history/\d+$", "", str(value["reference"]))
        return reference == wanted or (("/" not in wanted) and reference.endswith("/" + wanted))
    if "coding" in value:
        return any(_mapping_is(coding, wanted) for coding in value["coding"])
    code = value.get("code", value.get("value"))
    if "|" not in wanted:
        return bool(code == wanted)
    system, _, expected = wanted.partition("|")
    return bool((not system or value.get("system") == system) and (not expected or code == expected))
