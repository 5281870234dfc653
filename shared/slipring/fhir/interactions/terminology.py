"""Terminology operations: ValueSet/$expand and $validate-code, CodeSystem/$lookup and $validate-code, ConceptMap/$translate.

They answer about the vocabulary that is shipped and the ConceptMaps that are stored; parameters come in a query or in a
Parameters resource, and one that would be ignored is refused.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from starlette.responses import Response

from slipring.fhir.definitions.terminology import TERMINOLOGY
from slipring.fhir.definitions.vocabulary import designations, expanded, matching
from slipring.fhir.interactions.respond import answer_tree
from slipring.fhir.interactions.translating import translations
from slipring.fhir.kernel import Context, Kernel
from slipring.fhir.outcome import FhirError, invalid, not_found, refusal, unprocessable
from slipring.fhir.search.criteria import parse
from slipring.fhir.service import Resource
from slipring.fhir.store import reading
from slipring.fhir.terminology import CodeSystem, Concept, ValueSet, code_system, value_set

_MOST = 1000
Asked = Mapping[str, Any]  # parameter name -> its value
Work = Callable[[Kernel, Context, Asked, "Resource | None"], Awaitable[Resource]]


async def operate(
    kernel: Kernel, context: Context, resource_type: str, resource_id: str | None, name: str, asked: Asked
) -> Response:
    """Invoke one of these operations on a type, or on one definition."""
    context.demand(resource_type, "r")
    work, known = _WORK[resource_type, name], _TAKEN[resource_type, name]
    for given in asked:
        if given not in known:
            listed = ", ".join(known)
            raise invalid(
                f"${name} has no parameter {given[:64]}; known: {listed}.",
                f"${name} 没有参数 {given[:64]}；可用：{listed}。",
                at=given[:64],
                detail="kernel.no-parameter",
            )
    target = None
    if resource_id is not None:
        target = await _target(kernel, context, resource_type, resource_id)
    return answer_tree(await work(kernel, context, asked, target))


def offered(resource_type: str, name: str) -> bool:
    """Whether `$name` of this type is one of these operations."""
    return (resource_type, name) in _WORK


def capabilities(resource_type: str) -> list[Resource]:
    """How the CapabilityStatement lists these operations of a type."""
    return [{"name": one.code, "definition": one.url} for one in TERMINOLOGY if one.resource == resource_type]


def from_query(pairs: Sequence[tuple[str, str]]) -> Asked:
    """Parameters of a GET, without those about the answer's form."""
    return {name: value for name, value in pairs if name not in ("_format", "_pretty")}


def from_parameters(parameters: Resource) -> Asked:
    """Parameters of a Parameters resource: the value or the resource of each."""
    found = {}
    for parameter in parameters.get("parameter", ()):
        member = next((m for m in parameter if m == "resource" or m.startswith("value")), None)
        if member:
            found[str(parameter.get("name"))] = parameter[member]
    return found


async def _target(kernel: Kernel, context: Context, resource_type: str, resource_id: str) -> Resource:
    found = kernel.catalogue.read(resource_type, resource_id)
    if found is not None:
        return found
    if kernel.service.keeper_of(resource_type):
        row = await reading.current(kernel.store.pool, resource_type, resource_id)
        if row is not None and not row.source and not row.deleted:
            audit = context.audit("read", f"{row.reference}/_history/{row.version}")
            await kernel.store.audits.write(audit, kernel.now())
            return row.stored().resource
    raise not_found(f"{resource_type}/{resource_id}")


async def _expand(kernel: Kernel, _: Context, asked: Asked, target: Resource | None) -> Resource:
    found = _value_set(asked, target)
    concepts = matching(found.concepts, str(asked["filter"])) if "filter" in asked else list(found.concepts)
    offset, count = _whole(asked, "offset", 0), min(_whole(asked, "count", _MOST), _MOST)
    shown = next(one for one in kernel.catalogue.all("ValueSet") if one["url"] == found.url)
    return expanded(shown, concepts, offset=offset, count=count, now=kernel.now())


async def _validate_in_set(_: Kernel, __: Context, asked: Asked, target: Resource | None) -> Resource:
    found = _value_set(asked, target)
    return _validated(asked, lambda system, code: found.find(code, system), found.systems)


async def _validate_in_system(_: Kernel, __: Context, asked: Asked, target: Resource | None) -> Resource:
    found = _code_system({"system": asked.get("url"), **asked}, target)

    def find(system: str, code: str) -> Concept | None:
        return found.by_code.get(code) if system in ("", found.url) else None

    return _validated(asked, find, (found.url,))


def _validated(asked: Asked, find: Callable[[str, str], Concept | None], systems: Sequence[str]) -> Resource:
    concept = next((known for system, code in _codings(asked) if (known := find(system, code))), None)
    parts: list[Resource] = [{"name": "result", "valueBoolean": concept is not None}]
    if concept is None:
        listed = ", ".join(systems)
        parts.append({"name": "message", "valueString": f"代码不在其中。 The code is not among those of {listed}."})
    elif concept.display:
        parts.append({"name": "display", "valueString": concept.display})
    if concept is not None and asked.get("display") not in (None, concept.display, concept.zh):
        parts[0] = {"name": "result", "valueBoolean": False}
        parts.insert(1, {"name": "message", "valueString": "名称与代码不符。 The display is not that of the code."})
    return {"resourceType": "Parameters", "parameter": parts}


async def _lookup(_: Kernel, __: Context, asked: Asked, target: Resource | None) -> Resource:
    system, code = next(iter(_codings(asked)))
    found = _code_system({"system": system}, target)
    concept = found.by_code.get(code)
    if concept is None:
        raise refusal(
            404,
            "not-found",
            "The code is not known in this system.",
            "该编码系统中没有此代码。",
            at="code",
            detail="kernel.code-not-known-system",
        )
    parts: list[Resource] = [
        {"name": "name", "valueString": found.name},
        {"name": "version", "valueString": found.version},
        {"name": "display", "valueString": concept.display or concept.zh or concept.code},
    ]
    for other in designations(concept):
        named = [{"name": "language", "valueCode": other["language"]}, {"name": "value", "valueString": other["value"]}]
        parts.append({"name": "designation", "part": named})
    return {"resourceType": "Parameters", "parameter": parts}


async def _translate(kernel: Kernel, context: Context, asked: Asked, target: Resource | None) -> Resource:
    maps = [target] if target else await _maps(kernel, context, asked)
    found = [
        match
        for system, code in _codings(asked)
        for one in maps
        for match in translations(one, system, code, str(asked.get("targetsystem", "")))
    ]
    good = any(equivalence not in ("unmatched", "disjoint") for equivalence, _, _ in found)
    parts: list[Resource] = [{"name": "result", "valueBoolean": good}]
    if not good:
        parts.append({"name": "message", "valueString": "没有对应的代码。 No mapping is known."})
    for equivalence, concept, source in found:
        match: list[Resource] = [{"name": "equivalence", "valueCode": equivalence}]
        match += [{"name": "concept", "valueCoding": concept}] if concept else []
        match += [{"name": "source", "valueUri": source}] if source else []
        parts.append({"name": "match", "part": match})
    return {"resourceType": "Parameters", "parameter": parts}


async def _maps(kernel: Kernel, context: Context, asked: Asked) -> list[Resource]:
    """The active stored maps that are asked for, with an audit row of what was disclosed."""
    pairs = [("status", "active"), *(("url", str(asked[name])) for name in ("url",) if name in asked)]
    criteria = parse("ConceptMap", pairs, zone=kernel.zone)
    rows = await reading.search(kernel.store.pool, criteria, source="", limit=_MOST)
    disclosed = [row.reference for row in rows]
    await kernel.store.audits.write(context.audit("search", "ConceptMap", disclosed=disclosed), kernel.now())
    if not rows and "url" in asked:
        raise refusal(
            404,
            "not-found",
            "No active map has this url.",
            "没有该 url 的有效映射。",
            at="url",
            detail="kernel.no-active-map-url",
        )
    return [row.stored().resource for row in rows]


def _codings(asked: Asked) -> list[tuple[str, str]]:
    """The codes that are asked about: code and system, a Coding, or a CodeableConcept."""
    if isinstance(asked.get("coding"), Mapping):
        codings = [asked["coding"]]
    elif isinstance(asked.get("codeableConcept"), Mapping):
        codings = list(asked["codeableConcept"].get("coding", ()))
    elif isinstance(asked.get("code"), str):
        codings = [{"system": asked.get("system", ""), "code": asked["code"]}]
    else:
        codings = []
    found = [(str(c.get("system", "")), str(c["code"])) for c in codings if "code" in c]
    if not found:
        raise invalid(
            "A code, coding or codeableConcept is needed.",
            "须给出 code、coding 或 codeableConcept。",
            at="code",
            detail="kernel.code-needed",
        )
    return found


def _value_set(asked: Asked, target: Resource | None) -> ValueSet:
    found = value_set(str(target["url"] if target else asked.get("url", "")))
    if found is None:
        raise _unknown("url", bool(asked.get("url")))
    return found


def _code_system(asked: Asked, target: Resource | None) -> CodeSystem:
    found = code_system(str(target["url"] if target else asked.get("system") or ""))
    if found is None:
        raise _unknown("system", bool(asked.get("system")))
    return found


def _unknown(name: str, given: bool) -> FhirError:
    if not given:
        return invalid(
            f"The parameter {name} is needed.", f"须给出参数 {name}。", at=name, detail="kernel.parameter-needed"
        )
    return refusal(
        404,
        "not-found",
        f"The {name} is not shipped here.",
        f"此处没有该 {name}。",
        at=name,
        detail="kernel.not-shipped",
    )


def _whole(asked: Asked, name: str, default: int) -> int:
    value = asked.get(name, default)
    text = str(value)
    if not (text.isascii() and text.isdigit() and len(text) < 7):
        raise unprocessable(
            f"{name} must be a whole number.",
            f"{name} 应为整数。",
            at=name,
            code="value",
            detail="kernel.not-a-whole-number",
        )
    return int(text)


_WORK: Mapping[tuple[str, str], Work] = {
    ("ValueSet", "expand"): _expand,
    ("ValueSet", "validate-code"): _validate_in_set,
    ("CodeSystem", "lookup"): _lookup,
    ("CodeSystem", "validate-code"): _validate_in_system,
    ("ConceptMap", "translate"): _translate,
}
_TAKEN = {(one.resource, one.code): tuple(p.name for p in one.parameters if p.use == "in") for one in TERMINOLOGY}
