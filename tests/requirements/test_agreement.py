"""Metadata and parser agree both ways: what is advertised works, what is not is refused and the valid ones named."""

from __future__ import annotations

import asyncio
import json
from collections import defaultdict
from importlib.resources import files
from urllib.parse import quote

import httpx
from slipring.fhir.search.parameter import SearchParameter, parameters_for

from tests.requirements.address import KEPT, SERVICES, UNION, Address, every_base, every_kept_type, refused

FIT = {
    "token": "urn:test|one",
    "date": "ge2026-03-02",
    "string": "one",
    "uri": "http://example.org/one",
    "number": "gt1",
    "quantity": "1.5|http://unitsofmeasure.org|mg",
}
MISFIT = {"date": "the day before", "number": "a few", "quantity": "1|2|3|4"}
WITH_MODIFIER = {
    "missing": "true",
    "in": "http://hl7.org/fhir/ValueSet/administrative-gender",
    "not-in": "http://hl7.org/fhir/ValueSet/administrative-gender",
    "identifier": "urn:test|one",
    "of-type": "http://terminology.hl7.org/CodeSystem/v2-0203|MR|one",
    "text": "one",
}
# Every modifier of R4 (search.html 3.1.1.5.5); `type` stands for the name of a type.
OFFICIAL = ("missing", "exact", "contains", "not", "text", "in", "below", "above", "not-in", "identifier", "of-type")
LEFT_OUT = json.loads(files("slipring.fhir.search").joinpath("left_out.json").read_text("utf-8"))
INTERACTIONS = {
    *("read", "vread", "update", "patch", "delete", "create"),
    *("history-instance", "history-type", "search-type"),
}


def fit(parameter: SearchParameter) -> str:
    """A value that the parameter takes."""
    if parameter.parts:
        return "$".join(fit(part.parameter).removeprefix("ge").removeprefix("gt") for part in parameter.parts)
    if parameter.type == "reference":
        target = parameter.targets[0] if parameter.targets else "Patient"
        return "http://example.org/one" if parameter.canonical else f"{target}/1"
    return "one" if parameter.code == "_id" else FIT[parameter.type]


def query(*pairs: tuple[str, str]) -> str:
    """A query string."""
    return "&".join(f"{quote(name, safe=':')}={quote(value)}" for name, value in pairs)


@every_kept_type
async def test_the_statement_lists_the_parameters_that_the_parser_knows(at: Address, kind: str) -> None:
    stated = {p["name"]: p["type"] for p in (await at.statement(kind))["searchParam"]}
    assert stated == {code: parameter.type for code, parameter in parameters_for(kind).items()}


@every_kept_type
async def test_every_advertised_parameter_is_taken(at: Address, kind: str) -> None:
    known = parameters_for(kind)
    stated = [p["name"] for p in (await at.statement(kind))["searchParam"]]
    for start in range(0, len(stated), 8):
        asked = query(*((name, fit(known[name])) for name in stated[start : start + 8]))
        assert (await at.bundle(f"{kind}?{asked}&_count=1"))["type"] == "searchset"


@every_kept_type
async def test_every_advertised_parameter_refuses_a_value_of_another_type(at: Address, kind: str) -> None:
    known = parameters_for(kind)
    for stated in (await at.statement(kind))["searchParam"]:
        wrong = MISFIT.get(stated["type"], "")
        refused(await at.ask("GET", f"{kind}?{query((stated['name'], wrong))}"), 400)
        if "missing" in known[stated["name"]].modifiers and at.name != "front":
            refused(await at.ask("GET", f"{kind}?{query((stated['name'] + ':missing', 'perhaps'))}"), 400)


@every_kept_type
async def test_every_modifier_of_a_parameter_is_taken_and_every_other_refused(at: Address, kind: str) -> None:
    taken: dict[str, list[tuple[str, str]]] = defaultdict(list)
    strange: list[str] = []
    for code, parameter in parameters_for(kind).items():
        for modifier in OFFICIAL:
            if modifier in parameter.modifiers:
                taken[modifier].append((f"{code}:{modifier}", WITH_MODIFIER.get(modifier, fit(parameter))))
            else:
                strange.append(f"{code}:{modifier}")
        if parameter.canonical:  # names a URL, which says nothing about types
            strange += [f"{code}:{target}" for target in parameter.targets[:1]]
        else:
            taken["type"] += [(f"{code}:{target}", "1") for target in parameter.targets[:1]]
    for pairs in taken.values():
        for start in range(0, len(pairs), 8):
            assert (await at.bundle(f"{kind}?{query(*pairs[start : start + 8])}&_count=1"))["type"] == "searchset"
    step = 1 if at.name in SERVICES else 7  # the front asks the services; each of them is asked for every one
    for name in strange[::step]:
        answer = await at.ask("GET", f"{kind}?{query((name, 'true'))}")
        refused(answer, 400)


@every_kept_type
async def test_an_official_parameter_that_is_not_advertised_is_refused_and_the_valid_ones_named(
    at: Address, kind: str
) -> None:
    known = parameters_for(kind)
    others = {code for other in KEPT["order"] for code in parameters_for(other)} - set(known)
    left_out = {name.split(".")[1] for name in LEFT_OUT if name.startswith(f"{kind}.")}
    official = [code for code in left_out if code not in known]
    for name in (*official, *sorted(others)[::12], "nonsense", "_content", "_query"):
        answer = await at.ask("GET", f"{kind}?{query((name, 'one'))}")
        refused(answer, 400)
        assert list(known)[-1] in answer.text, f"{name}: the valid ones are not named"


@every_kept_type
async def test_every_parameter_that_can_be_sorted_by_sorts_and_no_other(at: Address, kind: str) -> None:
    rules = [code for code, parameter in parameters_for(kind).items() if parameter.sortable]
    for start in range(0, len(rules), 3):
        await at.bundle(f"{kind}?_count=1&_sort={','.join(rules[start : start + 3])}")
    await at.bundle(f"{kind}?_count=1&_sort=-{rules[-1]}")
    refused(await at.ask("GET", f"{kind}?_sort=nonsense"), 400)


@every_base
async def test_every_advertised_operation_can_be_looked_up_and_called(at: Address) -> None:
    async def problem(kind: str, operation: dict[str, str]) -> str:
        definition = operation["definition"].rpartition("/OperationDefinition/")[2]
        looked = await at.ask("GET", f"OperationDefinition/{definition}")
        if looked.status_code != 200 and "hl7.org" not in operation["definition"]:
            return f"{definition}: {looked.status_code}"
        levels = looked.json() if looked.status_code == 200 else {"type": True, "instance": True}
        called: list[httpx.Response] = []
        if levels.get("type"):
            called.append(await at.ask("POST", f"{kind}/${operation['name']}", {"resourceType": "Parameters"}))
        if levels.get("instance"):  # at the front the letter of the id says which keeper is asked
            asked_for = (kind, operation["name"])
            known = [s.letter for s in SERVICES.values() if asked_for in {(o.type, o.name) for o in s.operations}]
            called += [
                await at.ask("POST", f"{kind}/{letter}-none/${operation['name']}", {"resourceType": "Parameters"})
                for letter in known or ["o"]
            ]
        told = [answer for answer in called if answer.status_code == 405 or "No such operation" in answer.text]
        return f"{kind}/${operation['name']}: {[a.text for a in told]}" if told or not called else ""

    listed = (await at.bundle("metadata"))["rest"][0]["resource"]
    asked = [problem(r["type"], o) for r in listed for o in r.get("operation", ())]
    assert asked or not [operation for s in SERVICES.values() if s.name == at.name for operation in s.operations]
    assert [found for found in await asyncio.gather(*asked) if found] == []


@every_kept_type
async def test_an_operation_that_is_not_advertised_is_refused(at: Address, kind: str) -> None:
    refused(await at.ask("POST", f"{kind}/$nonsense", {"resourceType": "Parameters"}), 400, 404)
    refused(await at.ask("POST", f"{kind}/1/$nonsense", {"resourceType": "Parameters"}), 400, 404)
    refused(await at.ask("GET", f"{kind}/$nonsense"), 400, 404, 405)


@every_base
async def test_a_type_that_is_not_kept_is_refused_in_every_interaction(at: Address) -> None:
    body = {"resourceType": "Account", "status": "active"}
    for method, path, sent in (
        *(("GET", path, None) for path in ("Account", "Account/1", "Account/_history", "Account/1/_history/1")),
        ("POST", "Account", body),
        ("PUT", "Account/1", {**body, "id": "1"}),
        ("DELETE", "Account/1", None),
    ):
        refused(await at.ask(method, path, sent), 404)


@every_kept_type
async def test_the_interactions_of_the_kernel_are_stated_for_every_type(at: Address, kind: str) -> None:
    stated = await at.statement(kind)
    assert {interaction["code"] for interaction in stated["interaction"]} == INTERACTIONS
    assert stated["versioning"] == "versioned-update"
    assert stated["readHistory"] is True
    assert stated["conditionalCreate"] is True
    assert stated["conditionalUpdate"] is True
    assert stated["conditionalDelete"] == "single"
    assert stated["conditionalRead"] == "full-support"


@every_kept_type
async def test_every_advertised_include_works_and_no_other(at: Address, kind: str) -> None:
    stated = await at.statement(kind)
    kept = set(UNION if at.name == "front" else KEPT[at.name])
    pointing = [p for p in parameters_for(kind).values() if p.type == "reference" and not p.canonical]
    references = {p.code for p in pointing if not p.targets or kept & set(p.targets)}
    named = {include.split(":")[1] for include in stated.get("searchInclude", ()) if ":" in include}
    assert references <= named | {"*"}, references - named
    for name, wanted in (
        ("_include", stated.get("searchInclude", ())),
        ("_revinclude", stated.get("searchRevInclude", ())),
    ):
        for start in range(0, len(wanted), 5):
            asked = query(*((name, include) for include in wanted[start : start + 5]))
            await at.bundle(f"{kind}?_count=1&{asked}")
        refused(await at.ask("GET", f"{kind}?{name}={kind}:nonsense"), 400)


@every_base
async def test_the_interactions_of_the_whole_base_are_stated(at: Address) -> None:
    rest = (await at.bundle("metadata"))["rest"][0]
    codes = {interaction["code"] for interaction in rest["interaction"]}
    assert {"transaction", "batch", "history-system"} <= codes
    answer = await at.ask("GET", "?_type=Task&_count=1")
    if "search-system" in codes:
        assert answer.json()["type"] == "searchset"
    else:
        refused(answer, 400, 404, 405)
