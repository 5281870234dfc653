"""References inside a received resource: `urn:` and fullUrls of its Bundle, and conditional ones.

Within a transaction a literal that names another entry is replaced where R4 says: in elements of type uri, url, oid
and uuid (`uri_elements.toml`), and in `href` and `src` of a narrative. Canonicals and plain text stay as they are.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl

from slipring.fhir.interactions.foreseen import Foreseen
from slipring.fhir.kernel import Context, Kernel
from slipring.fhir.literals import LINK, URI_ELEMENTS, relinked
from slipring.fhir.outcome import FhirError, Issue, invalid, refusal
from slipring.fhir.search.criteria import Criteria, parse
from slipring.fhir.service import Resource
from slipring.fhir.sight import conditional
from slipring.fhir.store.reading import Reader

_CONDITIONAL = re.compile(r"[A-Z][A-Za-z]{1,63}\?", re.ASCII)
_OF_A_VERSION = re.compile(r"(.+)/_history/[A-Za-z0-9\-.]{1,64}", re.ASCII)


class Known:
    """What the literals of a Bundle stand for: fullUrls, and for a new resource the relative end of its fullUrl."""

    def __init__(self) -> None:
        self._references: dict[str, tuple[str, int]] = {}
        self.conditional: dict[str, str] = {}  # conditional references that were resolved
        # They find what the transaction leaves behind, too (FHIR R4 http 3.1.0.11.2, step 5).
        self.foreseen: Foreseen
        self.searcher: Reader

    def add(self, full_url: str, reference: str, version: int, *, new: bool) -> None:
        """One entry, by the fullUrl others may use."""
        if not full_url or not reference:
            return
        self._references[full_url] = (reference, version)
        if new and full_url.startswith(("http://", "https://")):
            self._references["/".join(full_url.rsplit("/", 2)[-2:])] = (reference, version)

    def get(self, literal: str) -> str | None:
        """The reference a literal stands for; one of a version keeps naming a version."""
        found = self._references.get(literal)
        if found:
            return found[0]
        versioned = _OF_A_VERSION.fullmatch(literal)
        found = self._references.get(versioned[1]) if versioned else None
        return f"{found[0]}/_history/{found[1]}" if found else None


def references(tree: Any, place: str) -> Iterator[tuple[str, str]]:
    """Each literal reference with the path of the element that holds it."""
    for at, name, value in _literals(tree, place):
        if name == "reference":
            yield at, value


def _literals(tree: Any, place: str) -> Iterator[tuple[str, str, str]]:
    """Path of the holder, name and value of each member that may name a resource, and of each narrative."""
    if isinstance(tree, dict):
        for name, member in tree.items():
            kind = member.__class__
            if kind is str:
                if name in URI_ELEMENTS or name == "div":
                    yield place, name, member
            elif kind is dict or kind is list:
                yield from _literals(member, f"{place}.{name}")
    elif isinstance(tree, list):
        for position, member in enumerate(tree):
            yield from _literals(member, f"{place}[{position}]")


def refuse_conditional(tree: Resource, text: str) -> None:
    """400 outside a transaction: only there can a conditional reference be resolved together with the write."""
    if "?" not in text:
        return
    found = [place for place, value in references(tree, str(tree["resourceType"])) if _CONDITIONAL.match(value)]
    if found:
        zh, en = "条件引用只能用于事务。", "A conditional reference may stand in a transaction only."
        detail = "kernel.condition-outside-transaction"
        raise FhirError(400, [Issue("invalid", zh=zh, en=en, at=f"{at}.reference", detail=detail) for at in found])


async def resolved(kernel: Kernel, context: Context, tree: Resource, place: str, known: Known) -> dict[str, str]:
    """What each literal of an entry's resource that must be resolved stands for."""
    found: dict[str, str] = {}
    for at, name, value in _literals(tree, place):
        if name == "div":
            found |= {link[3]: new for link in LINK.finditer(value) if (new := known.get(link[3]))}
        elif (new := known.get(value)) is not None:
            found[value] = new
        elif name == "reference" and value.startswith("urn:"):
            raise invalid(
                "The reference names no entry of this Bundle.",
                "该引用在本 Bundle 中没有对应条目。",
                at=f"{at}.reference",
                detail="kernel.reference-names-no-entry-bundle",
            )
        elif name == "reference" and _CONDITIONAL.match(value):
            if value not in known.conditional:
                known.conditional[value] = await _the_one(kernel, context, known, value, f"{at}.reference")
            found[value] = known.conditional[value]
    return found


def rewritten(tree: Any, changed: dict[str, str]) -> Any:
    """The tree with its literals replaced."""
    if isinstance(tree, dict):
        return {name: _rewritten(name, member, changed) for name, member in tree.items()}
    return [rewritten(member, changed) for member in tree] if isinstance(tree, list) else tree


def _rewritten(name: str, member: Any, changed: dict[str, str]) -> Any:
    if not isinstance(member, str):
        return rewritten(member, changed)
    if name == "div":
        return relinked(member, changed)
    return changed.get(member, member) if name in URI_ELEMENTS else member


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
        raise invalid(
            "The condition names no search criteria.",
            "条件未给出检索参数。",
            at=at,
            detail="kernel.condition-empty",
        )
    return criteria


async def _the_one(kernel: Kernel, context: Context, known: Known, value: str, at: str) -> str:
    """What a conditional reference finds among what stands for the caller and what the transaction itself writes."""
    criteria = condition(kernel, value.partition("?")[0], value, at)
    held = await known.foreseen.matching(known.searcher, criteria, conditional(kernel, context, criteria))
    if len(held) != 1:
        en, zh = ("several resources match", "有多个资源符合") if held else ("nothing matches", "没有资源符合")
        raise refusal(
            412,
            "multiple-matches" if held else "not-found",
            f"Conditional reference: {en}.",
            f"条件引用：{zh}。",
            at=at,
            detail="kernel.conditional-reference",
        )
    return held[0]
