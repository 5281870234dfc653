"""The official R4 examples of kept types, imported under their ids and served back token for token."""

import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from slipring.fhir.service import Keeps, Service
from slipring.fhir.text import tokens
from slipring.process import installed_services

from tests.fhir.place import IMPORT, Place, opened, where

EXAMPLES = sorted((Path(__file__).parents[3] / "shared" / "data" / "fhir-r4-examples").glob("*.json"))
KEPT = sorted({keeps.type for service in installed_services().values() for keeps in service.keeps})
# Names an Encounter as performer, which R4 does not allow: an error of the official example.
WRONG = "Observation-clinical-gender"

pytestmark = pytest.mark.skipif(not EXAMPLES, reason="the official examples are not beside this project")


def of_kept_types() -> Iterator[Path]:
    """The files whose resource some service keeps."""
    for file in EXAMPLES:
        if json.loads(file.read_text("utf-8"))["resourceType"] in KEPT:
            yield file


@pytest.fixture(scope="module")
async def place(data_dir: Path) -> AsyncIterator[Place]:
    """One service that keeps every type the four keep, without their handlers: the kernel alone."""
    service = Service("order", "o", "Everything", keeps=[Keeps(name) for name in KEPT if name != "Subscription"])
    async with opened(data_dir, service) as street:
        yield street["order"]


def outside_the_spliced(text: str) -> list[tuple[str, str]]:
    """The tokens of a resource without `id`, `meta.versionId` and `meta.lastUpdated`."""
    found = list(tokens(text))
    members = top_members(found)
    kept: list[tuple[str, str]] = []
    if '"meta"' in members:
        inner = top_members(members['"meta"'])
        left = {name: value for name, value in inner.items() if name not in ('"versionId"', '"lastUpdated"')}
        members['"meta"'] = [token for name, value in left.items() for token in (("string", name), *value)]
    for name, value in members.items():
        if name != '"id"' and value:
            kept += [("string", name), *value]
    return kept


def top_members(found: list[tuple[str, str]]) -> dict[str, list[tuple[str, str]]]:
    """The tokens of each top-level member of an object, in order."""
    members: dict[str, list[tuple[str, str]]] = {}
    depth, name = 0, ""
    for kind, written in found[1:-1]:
        if depth == 0 and not name:
            name = written if written != "," else ""
            if name:
                members[name] = []
            continue
        if depth == 0 and written == "," and kind == "mark":
            name = ""
            continue
        depth += (written in "{[") - (written in "}]") if kind == "mark" else 0
        if not (depth == 0 and written == ":" and kind == "mark" and not members[name]):
            members[name].append((kind, written))
    return members


def test_most_examples_are_of_kept_types() -> None:
    assert len(list(of_kept_types())) > 120


@pytest.mark.parametrize("file", list(of_kept_types()), ids=lambda file: file.name.removesuffix(".json"))
async def test_an_official_example_is_imported_and_served_back_token_for_token(place: Place, file: Path) -> None:
    text = file.read_text("utf-8")
    tree = json.loads(text)
    address = f"{tree['resourceType']}/{tree['id']}"
    answer = await place.ask("PUT", address, text.encode(), scopes=IMPORT)
    if file.name.removesuffix(".json") == WRONG:
        assert (answer.status_code, where(answer)) == (400, ["Observation.performer[0].reference"])
        return
    assert answer.status_code == 201, answer.text
    served = (await place.ask("GET", address)).text
    assert outside_the_spliced(served) == outside_the_spliced(text)
    assert json.loads(served)["id"] == tree["id"]
    assert json.loads(served)["meta"]["versionId"] == "1"
