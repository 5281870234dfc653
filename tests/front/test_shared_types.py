"""Types that several services keep: one search, one order, pages that neither repeat nor drop, also while others write."""

from __future__ import annotations

import asyncio
import itertools
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from slipring.fhir.search.criteria import parse
from slipring.fhir.search.ordering import comes_before, sort_key
from slipring.fhir.search.parameter import parameters_for
from slipring.front.owners import the_owners

from tests.front.hospital import IMPORTING, His, Tree, a_patient, a_task, an_observation, fresh, matches, to
from tests.support.department import Department

SERVICES = ("order", "consent", "report", "critical")
CODES = ("exam-note", "observation", "second-read", "exam-note", "observation")
_MOMENTS = itertools.count()


@pytest.fixture(scope="module")
async def his(department: Department) -> His:
    return His(department, IMPORTING)


@pytest.fixture(scope="module")
async def patient(his: His) -> Tree:
    return await his.made(a_patient("Shared"))


def a_moment() -> str:
    number = next(_MOMENTS)
    return (datetime(2026, 11, 1, tzinfo=UTC) + timedelta(minutes=(number * 37) % 101)).isoformat()


async def a_kept_task(his: His, patient: Tree, group: str, number: int) -> Tree:
    """A task of one of three services; some have no time, some share one."""
    members: dict[str, Any] = {"for": to(patient), "groupIdentifier": {"system": "urn:group", "value": group}}
    if number % 4:
        members["authoredOn"] = a_moment()
        members["priority"] = ("routine", "urgent", "stat")[number % 3]
    if number % 5:
        members["executionPeriod"] = {"start": a_moment()}
    return await his.made(a_task(CODES[number % len(CODES)], **members))


async def test_any_parameter_sorts_over_all_keepers(his: His, patient: Tree) -> None:
    group = fresh("g")
    made = [await a_kept_task(his, patient, group, number) for number in range(17)]
    assert {tree["id"][0] for tree in made} == {"o", "c", "r"}
    criteria = f"group-identifier=urn:group|{group}"
    sortable = [name for name, parameter in parameters_for("Task").items() if parameter.sortable]
    assert len(sortable) > 15
    for name in [*sortable, *(f"-{name}" for name in sortable), "priority,-authored-on"]:
        pages = await his.pages(f"Task?{criteria}&_sort={name}&_count=5")
        found = [entry["resource"] for page in pages for entry in matches(page)]
        assert sorted(t["id"] for t in found) == sorted(t["id"] for t in made), name
        rules = parse("Task", [("_sort", name)]).sort
        keys = [sort_key(rules, tree) for tree in found]
        down = [rule.descending for rule in rules]
        assert not any(comes_before(later, sooner, down) for sooner, later in itertools.pairwise(keys)), name
        for service in SERVICES:
            own = (await his.http.get(f"/{service}/fhir/Task?{criteria}&_sort={name}&_count=50")).json()
            order = [entry["resource"]["id"] for entry in own.get("entry", ())]
            assert [t["id"] for t in found if t["id"] in order] == order, (name, service)


async def test_a_page_in_part_is_sorted_by_what_it_does_not_show(his: His, patient: Tree) -> None:
    group = fresh("g")
    made = [await a_kept_task(his, patient, group, number) for number in range(9)]
    criteria = f"Task?group-identifier=urn:group|{group}"
    whole = await his.ids(f"{criteria}&_sort=-authored-on,priority")
    assert len(whole) == len(made)
    for part in ("_elements=status", "_summary=text", "_summary=true"):
        pages = await his.pages(f"{criteria}&_sort=-authored-on,priority&_count=2&{part}")
        found = [entry["resource"] for page in pages for entry in matches(page)]
        assert [tree["id"] for tree in found] == whole, part
        assert all(tree["meta"]["tag"][-1]["code"] == "SUBSETTED" for tree in found)
    assert all("authoredOn" not in tree and "status" in tree for tree in found) or part == "_summary=true"


async def test_totals_add_up_and_counts_alone_hold_no_entries(his: His, patient: Tree) -> None:
    group = fresh("g")
    for number in range(7):
        await a_kept_task(his, patient, group, number)
    criteria = f"Task?group-identifier=urn:group|{group}"
    for query in ("_total=accurate&_count=2", "_count=0", "_summary=count", "_sort=status&_total=accurate&_count=3"):
        bundle = await his.bundle(f"{criteria}&{query}")
        assert bundle["total"] == 7, query
    assert "entry" not in await his.bundle(f"{criteria}&_summary=count")
    assert all(page["total"] == 7 for page in await his.pages(f"{criteria}&_total=accurate&_count=3"))


@pytest.mark.parametrize("sort", ["", "-authored-on", "_lastUpdated", "-_lastUpdated", "priority"])
async def test_pages_hold_everything_once_while_others_write(his: His, patient: Tree, sort: str) -> None:
    group = fresh("g")
    stays = {(await a_kept_task(his, patient, group, number))["id"] for number in range(20)}
    stop = asyncio.Event()

    async def writing() -> None:
        for number in itertools.count(100):
            if stop.is_set():
                return
            await a_kept_task(his, patient, group, number)

    writers = [asyncio.create_task(writing()) for _ in range(2)]
    try:
        query = f"Task?group-identifier=urn:group|{group}&_count=3" + (f"&_sort={sort}" if sort else "")
        found: list[str] = []
        path = query
        for turn in range(60):
            bundle = await his.bundle(path)
            found += [entry["resource"]["id"] for entry in matches(bundle)]
            if turn == 6:  # the writers may outrun the reader for ever
                stop.set()
            following = [link["url"] for link in bundle["link"] if link["relation"] == "next"]
            if not following:
                break
            path = following[0].removeprefix("http://127.0.0.1:8100/fhir/")
    finally:
        stop.set()
        await asyncio.gather(*writers)
    assert not following
    assert len(found) == len(set(found)), "given out twice"
    assert stays <= set(found), "lost"


async def test_a_lenient_search_says_what_it_left_out(his: His, patient: Tree) -> None:
    group = fresh("g")
    await a_kept_task(his, patient, group, 1)
    answer = await his.ask("GET", f"Task?group-identifier=urn:group|{group}&shoe=1", Prefer="handling=lenient")
    assert answer.status_code == 200, answer.text
    assert len(matches(answer.json())) == 1
    [itself] = [link["url"] for link in answer.json()["link"] if link["relation"] == "self"]
    assert "shoe" not in itself and "group-identifier" in itself


async def test_imported_ids_are_read_and_changed_where_they_lie(his: His, patient: Tree) -> None:
    value = {**an_observation(patient, "imaging"), "id": fresh("imported-")}
    assert (await his.ask("PUT", f"Observation/{value['id']}", value)).status_code == 201
    for path in ("", "/_history", "/_history/1"):
        assert (await his.ask("GET", f"Observation/{value['id']}{path}")).status_code == 200
    head = await his.ask("HEAD", f"Observation/{value['id']}")
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["etag"] == 'W/"1"'
    assert (await his.http.get(f"/report/fhir/Observation/{value['id']}")).status_code == 200
    changed = {**value, "category": an_observation(patient)["category"]}  # order would keep this one
    assert (await his.ask("PUT", f"Observation/{value['id']}", changed)).status_code == 200
    assert (await his.http.get(f"/order/fhir/Observation/{value['id']}")).status_code == 404
    entries = [
        {"resource": {**changed, "valueString": "b"}, "request": {"method": "PUT", "url": f"Observation/{value['id']}"}}
    ]
    for kind in ("transaction", "batch"):
        answer = await his.ask("POST", "", {"resourceType": "Bundle", "type": kind, "entry": entries})
        assert answer.json()["entry"][0]["response"]["status"][:3] == "200", answer.text
    assert (await his.ask("GET", f"Observation/{fresh('nobody-')}")).status_code == 404


def test_the_table_of_owners_names_keepers_that_keep_the_type(department: Department) -> None:
    """A keeper in the table that does not keep a type has nothing to give; none may be missing from the table."""
    owners = the_owners()
    for name, running in department.house.services.items():
        for keeps in running.kernel.service.keeps:
            assert name in owners.keepers_of(keeps.type), (name, keeps.type)
