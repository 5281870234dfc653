"""References inside a received resource: `urn:uuid` and fullUrls of its Bundle, and conditional ones."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl

from slipring.fhir.kernel import Kernel
from slipring.fhir.outcome import FhirError, Issue, invalid, refusal
from slipring.fhir.search.criteria import Criteria, parse
from slipring.fhir.service import Resource
from slipring.fhir.store import reading
from slipring.fhir.store.reading import Reader

_CONDITIONAL = re.compile(r"[A-Z][A-Za-z]{1,63}\?", re.ASCII)


def references(tree: Any, place: str) -> Iterator[tuple[str, str]]:
    """Each literal reference with the path of the element that holds it."""
    if isinstance(tree, dict):
        value = tree.get("reference")
        if isinstance(value, str):
            yield place, value
        for name, member in tree.items():
            if member.__class__ is dict or member.__class__ is list:
                yield from references(member, f"{place}.{name}")
    elif isinstance(tree, list):
        for position, member in enumerate(tree):
            yield from references(member, f"{place}[{position}]")


def refuse_conditional(tree: Resource, text: str) -> None:
    """400 outside a transaction: only there can a conditional reference be resolved together with the write."""
    if "?" not in text:
        return
    found = [place for place, value in references(tree, str(tree["resourceType"])) if _CONDITIONAL.match(value)]
    if found:
        en = "A conditional reference may stand in a transaction only."
        raise FhirError(
            400, [Issue("invalid", zh="条件引用只能用于事务。", en=en, at=f"{at}.reference") for at in found]
        )


async def resolved(kernel: Kernel, tree: Resource, place: str, known: dict[str, str], reader: Reader) -> dict[str, str]:
    """What each reference of an entry's resource that must be resolved stands for."""
    found: dict[str, str] = {}
    for at, value in references(tree, place):
        if value in known:
            found[value] = known[value]
        elif value.startswith("urn:"):
            raise invalid(
                "The reference names no entry of this Bundle.",
                "该引用在本 Bundle 中没有对应条目。",
                at=f"{at}.reference",
            )
        elif _CONDITIONAL.match(value) and value not in found:
            found[value] = await _the_one(kernel, value, f"{at}.reference", reader)
    return found


def rewritten(tree: Any, changed: dict[str, str]) -> Any:
    """The tree with references replaced."""
    if isinstance(tree, dict):
        return {
            name: changed.get(member, member)
            if name == "reference" and isinstance(member, str)
            else rewritten(member, changed)
            for name, member in tree.items()
        }
    return [rewritten(member, changed) for member in tree] if isinstance(tree, list) else tree


def condition(kernel: Kernel, resource_type: str, text: str, at: str = "") -> Criteria:
    """The criteria of If-None-Exist or of a conditional reference; one that says nothing is refused."""
    pairs = parse_qsl(text.partition("?")[2] if "?" in text else text, keep_blank_values=True)
    return criteria_of(kernel, resource_type, pairs, at)


def criteria_of(kernel: Kernel, resource_type: str, pairs: list[tuple[str, str]], at: str = "") -> Criteria:
    """The criteria a write depends on, from decoded parameters; 400 when they choose nothing."""
    try:
        criteria = parse(resource_type, pairs, zone=kernel.zone)
    except FhirError as error:
        raise FhirError(
            error.status, [Issue(i.code, i.zh, i.en, at or i.at, i.severity, i.detail) for i in error.issues]
        ) from error
    if not criteria.clauses:
        raise invalid("The condition names no search criteria.", "条件未给出检索参数。", at=at)
    return criteria


async def _the_one(kernel: Kernel, value: str, at: str, reader: Reader) -> str:
    resource_type = value.partition("?")[0]
    criteria = condition(kernel, resource_type, value, at)
    held = await reading.search(reader, criteria, source=None, limit=2)
    if len(held) != 1:
        en, zh = ("several resources match", "有多个资源符合") if held else ("nothing matches", "没有资源符合")
        raise refusal(
            412,
            "multiple-matches" if held else "not-found",
            f"Conditional reference: {en}.",
            f"条件引用：{zh}。",
            at=at,
        )
    return held[0].reference
