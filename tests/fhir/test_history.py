"""Histories: what stood when, in pages that are exact while others write."""

import asyncio
import random
from typing import Any

import pytest
from slipring.fhir.act import Act, perform_locked
from slipring.fhir.caller import Caller
from slipring.fhir.checks.shape import check
from slipring.fhir.intent import Intent
from slipring.fhir.kernel import Context

from tests.fhir.place import Place, a_bundle, a_patient, a_task, where


async def chain(place: Place, address: str) -> list[dict[str, Any]]:
    """The entries of all pages."""
    entries: list[dict[str, Any]] = []
    following: str | None = address
    while following:
        answer = await place.ask("GET", following)
        assert answer.status_code == 200, answer.text
        entries += answer.json().get("entry", [])
        links = {link["relation"]: link["url"] for link in answer.json()["link"]}
        following = links["next"].partition("/order/fhir/")[2] if "next" in links else None
    return entries


def versions(entries: list[dict[str, Any]]) -> list[str]:
    return [f"{entry['fullUrl'].partition('/fhir/')[2]} {entry['response']['etag']}" for entry in entries]


async def test_a_history_tells_how_each_version_came_to_be(place: Place) -> None:
    task = await place.make(a_task())
    address = f"Task/{task['id']}"
    await place.ask("PUT", address, {**task, "status": "completed"})
    await place.ask("DELETE", address)
    answer = (await place.ask("GET", f"{address}/_history")).json()
    told = [(e["request"]["method"], e["request"]["url"], e["response"]["status"]) for e in answer["entry"]]
    assert told == [("DELETE", address, "204"), ("PUT", address, "200"), ("POST", "Task", "201")]
    assert ["resource" in entry for entry in answer["entry"]] == [False, True, True]
    assert (answer["total"], [issue.at for issue in check(answer)]) == (3, [])
    counted = (await place.ask("GET", f"{address}/_history?_count=0")).json()
    assert (counted["total"], "entry" in counted) == (3, False)
    part = (await place.ask("GET", f"{address}/_history?_elements=status")).json()["entry"][1]["resource"]
    assert "intent" in part, "mandatory elements stay"
    assert part["meta"]["tag"][0]["code"] == "SUBSETTED"


async def test_at_finds_what_was_current_at_a_moment_or_in_a_period(place: Place) -> None:
    task = await place.make(a_task())
    address = f"Task/{task['id']}"
    await asyncio.sleep(0.02)
    second = (await place.ask("PUT", address, task)).json()
    await asyncio.sleep(0.02)
    third = (await place.ask("PUT", address, task)).json()
    first_at, second_at, third_at = (one["meta"]["lastUpdated"] for one in (task, second, third))

    async def current(at: str) -> list[str]:
        answer = await place.ask("GET", f"{address}/_history?_at={at}")
        assert answer.status_code == 200, answer.text
        return [entry["response"]["etag"][3:-1] for entry in answer.json().get("entry", [])]

    assert await current(first_at) == ["1"]
    assert await current(second_at) == ["2"]
    assert await current(third_at) == ["3"]
    assert await current("2199-01-01T00:00:00Z") == ["3"]
    assert await current("2020-05-17") == []
    assert await current(first_at[:4]) == ["3", "2", "1"], "a year is a period"
    for wrong in ("yesterday", "ge2020", "2020-13"):
        assert where(await place.ask("GET", f"{address}/_history?_at={wrong}")) == ["_at"]


NOT_TAKEN = [
    *("_sort=x", "_count=x", "_count=1&_count=2", "_since=2020-01-01"),
    *("_cursor=x", "_cursor=x&_count=1", "_summary=all"),
]


@pytest.mark.parametrize("query", NOT_TAKEN)
async def test_what_a_history_does_not_take_is_named(place: Place, query: str) -> None:
    answer = await place.ask("GET", f"Task/_history?{query}")
    assert (answer.status_code, where(answer)) == (400, [query.partition("=")[0]])


async def test_a_page_link_belongs_to_its_history_and_shows_no_value(place: Place) -> None:
    for _ in range(3):
        await place.make(a_task())
    page = (await place.ask("GET", "Task/_history?_count=1&_since=2020-01-01T00:00:00Z")).json()
    following = next(link["url"] for link in page["link"] if link["relation"] == "next")
    assert "2020" not in following
    cursor = following.partition("?")[2]
    assert (await place.ask("GET", f"Task/_history?{cursor}")).status_code == 200
    assert (await place.ask("GET", f"Patient/_history?{cursor}")).status_code == 400


async def test_a_version_committed_late_with_a_lower_number_is_not_skipped(place: Place) -> None:
    """A writer has its number and waits; others commit higher ones; a history asked for now waits for the writer."""
    kernel = place.running.kernel
    context = Context(Caller("slow", frozenset({"system/*.cruds"})))
    holding, go_on = asyncio.Event(), asyncio.Event()

    async def decide(connection: Any) -> tuple[Act, None]:
        act = Act(kernel, context, kernel.desk(context.caller, connection))
        act.intend(Intent("create", a_patient(id="late-1"), '{"resourceType":"Patient"}'))
        return act, None

    async def hold(_: Any) -> None:
        holding.set()
        await go_on.wait()

    slow = asyncio.create_task(perform_locked(kernel, [], decide, then=hold))
    await holding.wait()
    quick = await place.make(a_patient())
    reading = asyncio.create_task(chain(place, "Patient/_history?_count=2"))
    await asyncio.sleep(0.1)
    assert not reading.done()
    go_on.set()
    await slow
    seen = versions(await reading)
    assert seen.index(f'Patient/{quick["id"]} W/"1"') < seen.index('Patient/late-1 W/"1"')


async def test_pages_are_exact_while_others_write(place: Place) -> None:
    """Each chain holds each version once, and all that were acknowledged before it was asked for."""
    acknowledged: set[str] = set()
    busy = True
    chance = random.Random(20261125)

    async def writer(n: int) -> None:
        mine: list[str] = []
        while busy:
            await asyncio.sleep(0.02)
            if mine and chance.random() < 0.5:
                name = chance.choice(mine)
                answer = await place.ask("PUT", f"Task/{name}", a_task(id=name, description=str(n)))
                told = [f"Task/{name} {answer.headers['etag']}"]
            else:
                bundle = a_bundle("transaction", *[("POST", "Task", a_task())] * chance.randint(1, 5))
                entries = (await place.ask("POST", "", bundle)).json()["entry"]
                told = [f"{e['fullUrl'].partition('/fhir/')[2]} {e['response']['etag']}" for e in entries]
                mine += [one.split("/")[1].split(" ")[0] for one in told]
            acknowledged.update(told)

    writers = [asyncio.create_task(writer(n)) for n in range(6)]
    try:
        for _ in range(6):
            await asyncio.sleep(0.1)
            before = set(acknowledged)
            seen = versions(await chain(place, "Task/_history?_count=40&_since=2020-01-01T00:00:00Z"))
            assert len(seen) == len(set(seen))
            assert before <= set(seen)
            each: dict[str, list[int]] = {}
            for one in seen:
                name, _, tag = one.partition(" ")
                each.setdefault(name, []).append(int(tag[3:-1]))
            assert all(numbers == list(range(len(numbers), 0, -1)) for numbers in each.values())
    finally:
        busy = False
        await asyncio.gather(*writers)
