"""The official R4 examples pass the shape check, and each stops passing when one thing in it is broken.

What to break comes from the model metadata and the code lists, not from the compiled schema it is held against.
"""

import bz2
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from slipring.fhir.checks.shape import check
from slipring.fhir.models import Element, elements
from slipring.fhir.terminology.standard import bindings
from slipring.fhir.text import entries_text, parse, splice, tokens

DATA = Path(__file__).parents[3] / "shared" / "data"
EXAMPLES = sorted(DATA.glob("fhir-r4-examples/*.json"))
BUNDLES = sorted(DATA.glob("synthea/*.bz2"))
# Names an Encounter as performer, which R4 does not allow: an error of the official example.
WRONG = "Observation-clinical-gender"
# The wrong target of a reference that may point at few types.
NEVER_A_TARGET = "Linkage/1"

pytestmark = pytest.mark.skipif(not EXAMPLES, reason="the official examples are not beside this project")

_CODED = {place for value_set in bindings() for place in value_set.get("codes_of", ())}

Variant = tuple[str, dict[str, Any] | list[Any], str | int, Any, str]  # fault, holder, key, broken value, place
GONE = object()


def read(file: Path) -> tuple[str, dict[str, Any]]:
    return parse(file.read_bytes())


def name(file: Path) -> str:
    return file.name.removesuffix(".json")


@pytest.mark.parametrize("file", EXAMPLES, ids=name)
def test_an_official_example_passes(file: Path) -> None:
    places = [issue.at for issue in check(read(file)[1])]
    assert places == (["Observation.performer[0].reference"] if name(file) == WRONG else [])


@pytest.mark.parametrize("file", EXAMPLES, ids=name)
def test_an_official_example_is_stored_token_for_token(file: Path) -> None:
    text, tree = read(file)
    tree_meta = tree.get("meta", {})
    version, time = tree_meta.get("versionId", "1"), tree_meta.get("lastUpdated", "2026-01-31T08:00:00Z")
    stored = splice(text, id=tree["id"], version=version, last_updated=time)
    if "versionId" in tree_meta and "lastUpdated" in tree_meta:
        assert list(tokens(stored)) == list(tokens(text))
    else:
        kept = {key: value for key, value in parse(stored.encode())[1].items() if key != "meta"}
        assert kept == {key: value for key, value in tree.items() if key != "meta"}


@pytest.mark.parametrize("file", EXAMPLES, ids=name)
def test_an_official_example_broken_in_one_place_is_refused_there(file: Path) -> None:
    _, tree = read(file)
    seen: set[tuple[str, str]] = set()
    missed = []
    for fault, holder, key, broken, place in variants(tree, tree["resourceType"], tree["resourceType"], seen):
        target: Any = holder
        before = target[key] if isinstance(key, int) or key in target else GONE
        change(target, key, broken)
        if place not in {issue.at for issue in check(tree)}:
            missed.append(f"{fault} at {place}")
        change(target, key, before)
    assert seen
    assert missed == []


def change(holder: Any, key: str | int, value: Any) -> None:
    if value is GONE:
        del holder[key]
    else:
        holder[key] = value


def variants(node: dict[str, Any], type_name: str, at: str, seen: set[tuple[str, str]]) -> Iterator[Variant]:
    """Every way to break this object once; each fault once per element of a type and example."""
    if new(seen, "unknown", type_name):
        yield "unknown element", node, "colourOfHorse", "white", f"{at}.colourOfHorse"
    for element in elements(type_name):
        if element.name in node:
            value = node[element.name]
            place, known = f"{at}.{element.name}", f"{type_name}.{element.name}"
            yield from of_member(node, element, place, known, seen)
            yield from below(value, element, place, seen)


def of_member(
    node: dict[str, Any], element: Element, place: str, known: str, seen: set[tuple[str, str]]
) -> Iterator[Variant]:
    key = element.name
    if element.required and not element.choice and f"_{key}" not in node and new(seen, "required", known):
        yield "required element removed", node, key, GONE, place
    if element.many and new(seen, "empty", known):
        yield "empty list", node, key, [], place
    if new(seen, "null", known):
        yield "null", node, key, None, place
    if known in _CODED and new(seen, "code", known):
        yield "bogus code", node, key, ["bogus"] if element.many else "bogus", f"{place}[0]" if element.many else place
    if element.targets and new(seen, "target", known):
        wrong = {"reference": NEVER_A_TARGET}
        yield (
            "wrong target",
            node,
            key,
            [wrong] if element.many else wrong,
            f"{place}[0].reference" if element.many else f"{place}.reference",
        )


def below(value: Any, element: Element, place: str, seen: set[tuple[str, str]]) -> Iterator[Variant]:
    if element.primitive:
        return
    for index, item in enumerate(value if element.many else [value]):
        where = f"{place}[{index}]" if element.many else place
        if element.type == "Resource":
            yield from variants(item, item["resourceType"], where, seen)
        else:
            yield from variants(item, element.type, where, seen)


def new(seen: set[tuple[str, str]], fault: str, known: str) -> bool:
    if (fault, known) in seen:
        return False
    seen.add((fault, known))
    return True


@pytest.mark.parametrize("file", BUNDLES, ids=lambda file: file.name[:13])
def test_every_resource_of_a_synthea_bundle_passes_and_keeps_its_text(file: Path) -> None:
    text, bundle = parse(bz2.decompress(file.read_bytes()))
    assert [(issue.at, issue.detail) for issue in check(bundle)] == []
    raw = entries_text(text)
    assert [parse((one or "").encode())[1] for one in raw] == [entry["resource"] for entry in bundle["entry"]]
