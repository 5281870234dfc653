"""The front's CapabilityStatement and what the front does: each way round, driven by the statement."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from typing import Any

import pytest
from slipring.fhir.definitions.catalogue import TYPES
from slipring.fhir.search.include import references_of
from slipring.fhir.search.parameter import parameters_for
from slipring.front.owners import the_owners

from tests.front.hospital import IMPORTING, His, Tree, matches
from tests.support.department import Department

VALUES = {
    "token": "x", "reference": "Patient/o-1", "date": "2026-01-01", "string": "x", "uri": "urn:x", "number": "1",
    "quantity": "1", "composite": "x$1",
}  # fmt: skip
_AT_ONCE = 8


@pytest.fixture(scope="module")
async def his(department: Department) -> His:
    return His(department, IMPORTING)


@pytest.fixture(scope="module")
async def statement(his: His) -> Tree:
    return await his.bundle("metadata")


@pytest.fixture(scope="module")
async def stated(statement: Tree) -> AsyncIterator[dict[str, Tree]]:
    yield {resource["type"]: resource for resource in statement["rest"][0]["resource"]}


async def statuses(his: His, asked: Iterable[tuple[str, str]]) -> dict[str, int]:
    """What each address is answered with, a few at a time."""
    gate = asyncio.Semaphore(_AT_ONCE)

    async def one(method: str, path: str) -> tuple[str, int]:
        async with gate:
            return path, (await his.ask(method, path)).status_code

    return dict(await asyncio.gather(*(one(*each) for each in asked)))


def test_every_kept_type_is_stated_and_every_definition(stated: dict[str, Tree]) -> None:
    assert sorted(stated) == sorted([*the_owners().types, *TYPES])


def value_for(kept_type: str, name: str, kind: str) -> str:
    if kind == "composite":
        second = parameters_for(kept_type)[name].parts[1].parameter.type
        return f"x${VALUES[second]}"
    if parameters_for(kept_type)[name].canonical:
        return "urn:x"
    return VALUES[kind]


async def test_every_stated_parameter_is_taken(his: His, stated: dict[str, Tree]) -> None:
    asked = [
        ("GET", f"{kept}?{one['name']}={value_for(kept, one['name'], one['type'])}&_count=1")
        for kept, resource in stated.items()
        for one in resource["searchParam"]
    ]
    assert len(asked) > 600
    found = await statuses(his, asked)
    assert {path: status for path, status in found.items() if status != 200} == {}


async def test_every_parameter_that_is_not_stated_is_refused(his: His, stated: dict[str, Tree]) -> None:
    everywhere = sorted({one["name"] for resource in stated.values() for one in resource["searchParam"]})
    asked = []
    for number, (kept, resource) in enumerate(sorted(stated.items())):
        names = {one["name"] for one in resource["searchParam"]}
        others = [name for name in everywhere if name not in names]
        asked += [
            ("GET", f"{kept}?{name}=x") for name in [*others[number % 7 :: 7], "shoe", "_query", "_filter", "_list"]
        ]
    found = await statuses(his, asked)
    assert {path: status for path, status in found.items() if status != 400} == {}


async def test_every_stated_include_is_followed_and_no_other(his: His, stated: dict[str, Tree]) -> None:
    good, bad = [], []
    for kept in the_owners().types:
        resource = stated[kept]
        for member, name in (("searchInclude", "_include"), ("searchRevInclude", "_revinclude")):
            good += [("GET", f"{kept}?_count=1&{name}={one}") for one in resource.get(member, ())]
        good += [("GET", f"{kept}?_count=1&_include={one}") for one in resource.get("searchInclude", ())]
        named = {one.partition(":")[2] for one in resource.get("searchInclude", ())}
        nowhere = [one.code for one in references_of(kept) if one.code not in named]
        plain = [code for code, one in parameters_for(kept).items() if one.type != "reference"]
        bad += [("GET", f"{kept}?_include={kept}:{code}") for code in [*nowhere, *plain[:2], "shoe"]]
        bad += [("GET", f"{kept}?_revinclude={kept}:shoe"), ("GET", f"{kept}?_include=Claim:patient")]
    assert {path: status for path, status in (await statuses(his, good)).items() if status != 200} == {}
    assert {path: status for path, status in (await statuses(his, bad)).items() if status != 400} == {}


async def test_stated_interactions_are_offered_and_no_others(his: His, stated: dict[str, Tree]) -> None:
    """A method that is not offered is 405 before anything else is looked at."""
    addresses = {
        "read": ("GET", "{}/nobody"), "vread": ("GET", "{}/nobody/_history/1"), "update": ("PUT", "{}/nobody"),
        "patch": ("PATCH", "{}/nobody"), "delete": ("DELETE", "{}/nobody"), "create": ("POST", "{}"),
        "history-instance": ("GET", "{}/nobody/_history"), "history-type": ("GET", "{}/_history"), "search-type": ("GET", "{}"),
    }  # fmt: skip
    for kept, resource in stated.items():
        offered = {one["code"] for one in resource["interaction"]}
        assert offered <= set(addresses)
        for code, (method, path) in addresses.items():
            answer = await his.ask(method, path.format(kept))
            assert (answer.status_code == 405) != (code in offered), (kept, code, answer.text)


async def test_every_stated_operation_has_a_definition_here(his: His, statement: Tree) -> None:
    rest = statement["rest"][0]
    operations = [one for resource in rest["resource"] for one in resource.get("operation", ())]
    assert len(operations) >= 10
    for operation in [*operations, *rest.get("operation", ())]:
        url = operation["definition"]
        if url.startswith("http://hl7.org/"):
            continue  # HL7's own, published by HL7
        bundle = await his.bundle(f"OperationDefinition?url={url}")
        [definition] = [entry["resource"] for entry in matches(bundle)]
        assert definition["code"] == operation["name"]
        name = url.rpartition("/")[2]
        assert (await his.bundle(f"OperationDefinition/{name}"))["url"] == url


async def test_system_interactions_are_offered_as_stated(his: His, statement: Tree) -> None:
    codes = {one["code"] for one in statement["rest"][0]["interaction"]}
    assert {"transaction", "batch", "history-system"} <= codes
    assert (await his.ask("GET", "_history?_count=1")).status_code == 200
    search = await his.ask("GET", "?_type=Patient&_count=1")
    assert (search.status_code == 200) == ("search-system" in codes)
    assert search.status_code in (200, 400)


async def test_the_statement_says_who_it_is_and_how_to_come_in(his: His, statement: Tree) -> None:
    assert statement["software"]["version"]
    assert statement["fhirVersion"] == "4.0.1"
    assert statement["implementation"]["url"] == "http://127.0.0.1:8100/fhir"
    assert "application/fhir+json" in statement["format"]
    assert statement["patchFormat"] == ["application/json-patch+json"]
    uris = statement["rest"][0]["security"]["extension"][0]["extension"]
    assert {"url": "token", "valueUri": "http://127.0.0.1:8100/auth/token"} in uris
    assert (await his.ask("GET", "metadata", Accept="application/fhir+xml")).status_code == 406
    pretty = await his.ask("GET", "metadata?_pretty=true")
    assert pretty.text.count("\n") > 1000 and pretty.json()["kind"] == "instance"


@pytest.mark.parametrize("kind", TYPES)
async def test_definitions_of_all_services_are_told_once(his: His, kind: str) -> None:
    pages = await his.pages(f"{kind}?_count=50&_summary=true")
    found = [entry["resource"] for page in pages for entry in matches(page)]
    ids = [tree["id"] for tree in found]
    assert len(ids) == len(set(ids)) == pages[0]["total"] > 0
    first: Any = found[0]
    read = await his.bundle(f"{kind}/{first['id']}")
    assert read["id"] == first["id"] and read.get("url") == first.get("url")
    by = f"url={first['url']}" if kind != "Basic" else f"_id={first['id']}"  # a topic's address is in an extension
    assert [tree["id"] for tree in [e["resource"] for e in matches(await his.bundle(f"{kind}?{by}"))]] == [first["id"]]
    assert (await his.ask("GET", f"{kind}/nobody")).status_code == 404
    assert (await his.ask("POST", kind, {"resourceType": kind})).status_code == 405
    assert (await his.ask("GET", f"{kind}?shoe=1")).status_code == 400
    batch = {
        "resourceType": "Bundle",
        "type": "batch",
        "entry": [{"request": {"method": "GET", "url": f"{kind}/{first['id']}"}}],
    }
    answer = (await his.ask("POST", "", batch)).json()
    assert answer["entry"][0]["resource"]["id"] == first["id"]


async def test_definitions_that_name_types_name_those_of_all_services(his: His) -> None:
    compartment = await his.bundle("CompartmentDefinition/patient")
    codes = {each["code"] for each in compartment["resource"]}
    assert {"ServiceRequest", "Consent", "DiagnosticReport", "Communication"} <= codes
    identifier = await his.bundle("SearchParameter/clinical-patient")
    assert {"Observation", "DiagnosticReport", "Consent"} <= set(identifier["base"])
    by_base = await his.pages("SearchParameter?base=CommunicationRequest&_sort=-name&_count=7")
    names = [entry["resource"]["name"] for page in by_base for entry in matches(page)]
    assert names == sorted(names, reverse=True) and len(names) > 10
