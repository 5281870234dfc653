"""What a service says about itself is read, searched and asked like any resource, and agrees with what it does."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from slipring.fhir.checks.shape import check
from slipring.fhir.definitions.catalogue import TYPES
from slipring.process import installed_services

from tests.fhir.place import Place, Resource, Street, opened, where

STATES = "https://slipring.example/fhir/ValueSet/exam-state"
EXAMS = "https://slipring.example/fhir/CodeSystem/exam"
LOCAL = "urn:his:exam"


@pytest.fixture(scope="module")
async def street(data_dir: Path) -> AsyncIterator[Street]:
    services = installed_services()
    async with opened(data_dir, services["order"], services["report"], pool_size=4) as found:
        yield found


@pytest.fixture
def order(street: Street) -> Place:
    return street["order"]


async def all_of(place: Place, resource_type: str) -> list[Resource]:
    """Every page of a type."""
    found: list[Resource] = []
    path: str | None = f"{resource_type}?_count=40"
    while path:
        answer = (await place.ask("GET", path)).json()
        found += [entry["resource"] for entry in answer.get("entry", [])]
        following = [link["url"] for link in answer["link"] if link["relation"] == "next"]
        path = following[0].partition("/fhir/")[2] if following else None
    assert len(found) == answer["total"]
    return found


async def value(answer: Any, name: str) -> Any:
    assert answer.status_code == 200, answer.text
    parts = [part for part in answer.json()["parameter"] if part["name"] == name]
    return next((part[key] for part in parts for key in part if key.startswith("value")), None)


def address_of(definition: Resource) -> str:
    """The canonical address; a topic has it in an extension, for R4 has no resource for it."""
    if definition["resourceType"] != "Basic":
        return str(definition["url"])
    return next(str(one["valueUri"]) for one in definition["extension"] if one["url"].endswith("SubscriptionTopic.url"))


@pytest.mark.parametrize("resource_type", TYPES)
async def test_every_definition_is_a_sound_resource_and_is_read_by_its_id(order: Place, resource_type: str) -> None:
    found = await all_of(order, resource_type)
    assert found
    assert len({one["id"] for one in found}) == len({address_of(one) for one in found}) == len(found)
    for one in found:
        if resource_type != "StructureDefinition":  # a type that nobody may send, so it has no schema
            assert check(one) == []
    read = await order.ask("GET", f"{resource_type}/{found[-1]['id']}")
    assert read.json() == found[-1]


async def test_each_definition_is_found_by_its_address(order: Place) -> None:
    for resource_type in TYPES:
        one = (await order.found(f"{resource_type}?_count=1"))[0]
        by = "_id" if resource_type == "Basic" else "url"  # R4 has no search for what stands in extensions
        assert await order.found(f"{resource_type}?{by}={one['id' if by == '_id' else 'url']}") == [one]
    assert await order.found("ValueSet?url=http://nobody.example") == []


async def test_every_listed_search_parameter_and_operation_has_its_definition(street: Street) -> None:
    for place in (street["order"], street["report"]):
        statement = (await place.ask("GET", "metadata")).json()
        parameters = {one["url"] for one in await all_of(place, "SearchParameter")}
        operations = {one["url"] for one in await all_of(place, "OperationDefinition")}
        by_base = {(base, one["code"]) for one in await all_of(place, "SearchParameter") for base in one["base"]}
        for resource in statement["rest"][0]["resource"]:
            for listed in resource["searchParam"]:
                assert (resource["type"], listed["name"]) in by_base
                assert listed.get("definition", next(iter(parameters))) in parameters
            for listed in resource.get("operation", []):
                if listed["definition"].startswith("https://slipring.example/"):
                    assert listed["definition"] in operations


async def test_each_supported_profile_is_served_and_is_of_its_type(street: Street) -> None:
    for place in (street["order"], street["report"]):
        statement = (await place.ask("GET", "metadata")).json()
        listed = [
            (one["type"], url) for one in statement["rest"][0]["resource"] for url in one.get("supportedProfile", [])
        ]
        assert listed
        for resource_type, url in listed:
            if not url.startswith("https://slipring.example/"):  # of a guide, which serves it
                assert resource_type == "Subscription" and url.startswith("http://hl7.org/fhir/uv/")
                continue
            (definition,) = await place.found(f"StructureDefinition?url={url}")
            assert definition["type"] == resource_type


async def test_validate_holds_a_resource_against_a_profile_and_says_which_it_does_not_know(order: Place) -> None:
    request = {
        "resourceType": "ServiceRequest",
        "status": "active",
        "intent": "order",
        "code": {"text": "CT"},
        "subject": {"reference": "Patient/1"},
        "meta": {"profile": ["http://elsewhere.example/StructureDefinition/x"]},
    }
    url = "https://slipring.example/fhir/StructureDefinition/ct-request"
    answer = await order.ask("POST", f"ServiceRequest/$validate?profile={url}", request)
    told = [(one["severity"], one.get("expression", [""])[0]) for one in answer.json()["issue"]]
    assert ("error", "ServiceRequest.requester") in told  # demanded by the profile, not by R4
    codes = [one["details"]["coding"][0]["code"] for one in answer.json()["issue"] if "coding" in one["details"]]
    assert "profile.unknown" in codes
    assert "invariant.dom-6" in codes


async def test_the_statement_lists_these_types_as_read_and_searched_only(order: Place) -> None:
    statement = (await order.ask("GET", "metadata")).json()
    listed = {one["type"]: one for one in statement["rest"][0]["resource"]}
    for resource_type in TYPES:
        assert [one["code"] for one in listed[resource_type]["interaction"]] == ["read", "search-type"]
    assert [one["name"] for one in listed["ValueSet"]["operation"]] == ["expand", "validate-code"]
    assert "translate" in [one["name"] for one in listed["ConceptMap"]["operation"]]


@pytest.mark.parametrize(
    ("path", "place"),
    [
        ("ValueSet?colour=red", "http.colour"),
        ("ValueSet?_sort=expansion", "_sort"),
        ("ValueSet?_cursor=x", "_cursor"),
        ("ValueSet?_include=ValueSet:reference", "http._include"),
        ("ValueSet/$expand?url=" + STATES + "&activeOnly=true", "activeOnly"),
        ("ValueSet/$expand", "url"),
        ("ValueSet/$expand?url=" + STATES + "&count=few", "count"),
        ("CodeSystem/$lookup?system=" + EXAMS, "code"),
    ],
)
async def test_what_would_be_ignored_is_refused_at_its_place(order: Place, path: str, place: str) -> None:
    answer = await order.ask("GET", path)
    assert answer.status_code in (400, 422)
    assert place in where(answer)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("POST", "ValueSet", 405),
        ("PUT", "ValueSet/exam-state", 405),
        ("DELETE", "ValueSet/exam-state", 405),
        ("GET", "ValueSet/_history", 405),
        ("GET", "ValueSet/nothing", 404),
        ("GET", "ValueSet/$expand?url=http://nobody.example", 404),
        ("GET", "CodeSystem/$lookup?system=http://nobody.example&code=x", 404),
        ("PUT", "ValueSet/$expand", 405),
    ],
)
async def test_definitions_are_never_written(order: Place, method: str, path: str, status: int) -> None:
    body = {"resourceType": "ValueSet", "id": "exam-state", "status": "active"} if method in ("POST", "PUT") else None
    assert (await order.ask(method, path, body)).status_code == status


async def test_a_caller_without_the_scope_is_refused(order: Place) -> None:
    assert (await order.ask("GET", "ValueSet", scopes="system/Patient.rs")).status_code == 403
    assert (await order.ask("GET", "ValueSet/exam-state", scopes="system/Patient.rs")).status_code == 403


async def test_definitions_are_searched_by_post_and_shown_in_part(order: Place) -> None:
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    posted = (await order.ask("POST", "ValueSet/_search", f"url={STATES}", headers=form)).json()
    assert posted["total"] == 1
    part = await order.found(f"ValueSet?url={STATES}&_elements=url")
    assert "compose" not in part[0]
    counted = (await order.ask("GET", "ValueSet?_summary=count")).json()
    assert counted["total"] > 200
    assert "entry" not in counted
    names = [one["name"] for one in await order.found("StructureDefinition?_sort=-name&_count=500")]
    assert names == sorted(names, reverse=True)


async def test_a_value_set_is_expanded_in_pages_and_by_a_text_in_either_language(order: Place) -> None:
    whole = (await order.ask("GET", f"ValueSet/$expand?url={STATES}")).json()["expansion"]
    assert whole["total"] == len(whole["contains"]) == 14
    assert check((await order.ask("GET", f"ValueSet/$expand?url={STATES}")).json()) == []
    page = (await order.ask("GET", f"ValueSet/$expand?url={STATES}&offset=2&count=3")).json()["expansion"]
    assert page["contains"] == whole["contains"][2:5]
    for text in ("arrived", "已到检"):
        body = {
            "resourceType": "Parameters",
            "parameter": [{"name": "url", "valueUri": STATES}, {"name": "filter", "valueString": text}],
        }
        found = (await order.ask("POST", "ValueSet/$expand", body)).json()["expansion"]["contains"]
        assert [one["code"] for one in found] == ["arrived"]
    by_id = (await order.ask("GET", "ValueSet/exam-state/$expand")).json()["expansion"]
    assert by_id["total"] == 14


async def test_a_code_is_validated_with_its_system_and_its_display(order: Place) -> None:
    asked = f"ValueSet/$validate-code?url={STATES}"
    system = "https://slipring.example/fhir/CodeSystem/exam-state"
    assert await value(await order.ask("GET", f"{asked}&code=arrived&system={system}"), "result") is True
    assert await value(await order.ask("GET", f"{asked}&code=arrived"), "display") == "arrived"
    assert await value(await order.ask("GET", f"{asked}&code=arrived&system=urn:x"), "result") is False
    assert await value(await order.ask("GET", f"{asked}&code=arrived&display=gone"), "result") is False
    assert await value(await order.ask("GET", f"CodeSystem/$validate-code?url={system}&code=closed"), "result") is True
    assert await value(await order.ask("GET", f"CodeSystem/$validate-code?url={system}&code=open"), "result") is False


async def test_a_code_is_looked_up_with_its_chinese_name(order: Place) -> None:
    answer = await order.ask("GET", "CodeSystem/$lookup?system=http://hl7.org/fhir/task-status&code=on-hold")
    assert await value(answer, "display") == "On Hold"
    exam = (await order.found(f"CodeSystem?url={EXAMS}"))[0]["concept"][0]
    answer = await order.ask("GET", f"CodeSystem/$lookup?system={EXAMS}&code={exam['code']}")
    named = [part["part"] for part in answer.json()["parameter"] if part["name"] == "designation"]
    assert named[0][1]["valueString"] == exam["designation"][0]["value"]


def a_map(**members: Any) -> Resource:
    target = {"code": "ct-chest", "equivalence": "equivalent"}
    group = {"source": LOCAL, "target": EXAMS, "element": [{"code": "CT01", "target": [target]}]}
    named = {"resourceType": "ConceptMap", "url": "urn:his:map", "status": "draft", "group": [group]}
    return {**named, **members}


async def test_an_active_stored_map_translates_a_code(order: Place) -> None:
    stored = await order.make(a_map())
    asked = f"$translate?code=CT01&system={LOCAL}"
    assert await value(await order.ask("GET", f"ConceptMap/{asked}"), "result") is False  # a draft translates nothing
    answer = await order.ask("GET", f"ConceptMap/{stored['id']}/{asked}")
    assert await value(answer, "result") is True
    match = next(part["part"] for part in answer.json()["parameter"] if part["name"] == "match")
    assert match[1]["valueCoding"] == {"system": EXAMS, "code": "ct-chest"}
    assert await value(await order.ask("GET", f"ConceptMap/{stored['id']}/$translate?code=CT99"), "result") is False
    assert (await order.ask("GET", "ConceptMap/nobody/$translate?code=CT01")).status_code == 404
    assert (await order.ask("GET", "ConceptMap/$translate?code=x&url=urn:none")).status_code == 404


async def test_the_patient_compartment_names_the_kept_types_only(order: Place) -> None:
    compartment = (await order.ask("GET", "CompartmentDefinition/patient")).json()
    kept = {one["type"] for one in (await order.ask("GET", "metadata")).json()["rest"][0]["resource"]} - set(TYPES)
    assert {one["code"] for one in compartment["resource"]} == kept
    assert {"code": "ServiceRequest", "param": ["subject", "performer"]} in compartment["resource"]
