"""What indicators count is written with the resource, leaves with it, is written anew, and adds up as it would by hand."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path
from statistics import quantiles
from typing import Any
from zoneinfo import ZoneInfo

from slipring.fhir.delivery.tidying import Tidying
from slipring.fhir.service import Keeps, Resource, Service
from slipring.fhir.store.counted import CountedRows
from slipring.fhir.store.summed import STEPS, fold, is_step
from slipring.qc.indicators.asked import Asked
from slipring.qc.indicators.definition import definitions
from slipring.qc.indicators.row import Counted, counted

from tests.fhir.conftest import small_service
from tests.fhir.place import Place, opened

START = datetime(2026, 1, 1, tzinfo=UTC)
END = START + timedelta(days=100)
SHANGHAI = ZoneInfo("Asia/Shanghai")


def counts(resource: Resource, zone: tzinfo) -> Sequence[Counted]:
    """A Task is a member, an Observation on it a remark."""
    if resource["resourceType"] == "Task":
        return [counted("work", f"Task/{resource['id']}", START, [resource["status"]], value=3.5)]
    if resource["resourceType"] == "Observation":
        return [counted("work", resource["focus"][0]["reference"], START, ["seen"], remark=True)]
    return []


def counting() -> Service:
    shipped = {"resourceType": "Measure", "id": "o-shipped-1", "status": "active", "url": "urn:x", "version": "1"}
    own = small_service()
    return replace(own, counts=counts, counts_form="1", ships=[shipped], keeps=[*own.keeps, Keeps("Measure")])


def a_task(**members: Any) -> Resource:
    return {"resourceType": "Task", "status": "requested", "intent": "order", **members}


def looks_at(place: Place) -> CountedRows:
    return CountedRows(place.pool, SHANGHAI)


async def marks_of(place: Place) -> Counter[tuple[str, str]]:
    found = await looks_at(place).groups(Asked("work", START, END))
    return Counter({(one.marks, one.remarks): one.count for one in found})


async def test_rows_come_change_and_go_with_the_resource_they_are_read_from(data_dir: Path) -> None:
    prefix = "counted_"
    async with opened(data_dir, counting(), schema_prefix=prefix) as street:
        place = street["order"]
        task, other = await place.make(a_task()), await place.make(a_task())
        assert await marks_of(place) == {("requested", ""): 2}
        seen = {"resourceType": "Observation", "status": "final", "code": {"text": "x"}}
        note = await place.make(seen, focus=[{"reference": f"Task/{task['id']}"}])
        await place.ask("PUT", f"Task/{other['id']}", {**other, "status": "completed"})
        assert await marks_of(place) == {("requested", "seen"): 1, ("completed", ""): 1}
        await place.ask("DELETE", f"Observation/{note['id']}")
        assert await marks_of(place) == {("requested", ""): 1, ("completed", ""): 1}
        await place.ask("DELETE", f"Task/{other['id']}")
        assert await marks_of(place) == {("requested", ""): 1}
        [shipped] = await place.found("Measure?url=urn:x")
        assert shipped["meta"]["versionId"] == "1"
        await place.rows("DELETE FROM counted")
    async with opened(data_dir, replace(counting(), counts_form="2"), schema_prefix=prefix) as street:
        assert await marks_of(street["order"]) == {("requested", ""): 1}, "another form is written anew at the start"
        [again] = await street["order"].found("Measure?url=urn:x")
        assert again["meta"] == shipped["meta"], "what is there is not laid down twice"


async def test_groups_members_and_quantiles_are_those_of_counting_by_hand(place: Place) -> None:
    drawn = random.Random(17)
    made = [_drawn(drawn, number) for number in range(3000)]
    # Two records may tell of one member, the later one by more, and even say the very same.
    made += [again for one in made[:300] for again in ([one] if drawn.random() < 0.3 else [_later(drawn, one)])]
    remarks = [_remark(drawn) for _ in range(300)]
    async with place.pool.acquire() as connection:
        rows = [(number, *row) for number, row in enumerate([*made, *remarks], 10**9)]
        await connection.copy_records_to_table("counted", records=rows, columns=["key", *Counted._fields])
    bounds = [10.0, 40.0]
    for asked in (
        Asked("exam", START, END),
        Asked("exam", START + timedelta(days=10), START + timedelta(days=20), system="B2"),
        Asked("exam", START, END, scanner="Device/o-2"),
        Asked("exam", START, END, requesters=["PractitionerRole/o-1"]),
        Asked("exam", START, END, newest=True),
        Asked("exam", START + timedelta(days=10), START + timedelta(days=20), system="B2", newest=True),
    ):
        by_hand = _by_hand([*made, *remarks], asked, bounds)
        groups = await looks_at(place).groups(asked, bounds)
        numbers = {(one.marks, one.remarks, one.below, one.valued): one.count for one in groups}
        assert numbers == {key: len(rows) for key, (rows, _) in by_hand.items()}
        for half, name in enumerate(("first", "second")):
            sums = [sum(getattr(row, name) for row in rows) + extra[half] for rows, extra in by_hand.values()]
            assert sum(getattr(one, name) for one in groups) == sum(sums)
        wanted = [one for one in groups if "error" in one.words or one.below == 2]
        expected = sorted(
            (row.at, row.member)
            for key, (rows, _) in by_hand.items()
            if "error" in f"{key[0]} {key[1]}" or key[2] == 2
            for row in rows
        )
        found = await looks_at(place).members(asked, wanted, bounds, limit=10_000)
        assert [(one.at, one.reference) for one in found] == expected
        page = await looks_at(place).members(asked, wanted, bounds, limit=7, offset=5)
        assert [one.reference for one in page] == [member for _, member in expected[5:12]]
        for word in ("error", ""):
            kept = [one for one in groups if word in f"{one.marks} {one.remarks}"]
            values = [row.value for key, (rows, _) in by_hand.items() if word in f"{key[0]} {key[1]}" for row in rows]
            told = await looks_at(place).quantiles(asked, kept, [0.25, 0.5, 0.75])
            expected_values = quantiles([one for one in values if one is not None], n=4, method="inclusive")
            assert all(abs(one - other) < 1e-9 for one, other in zip(told, expected_values, strict=True))
    by_month = await looks_at(place).groups(Asked("exam", START, END), per="month")
    months = Counter(row.at.astimezone(SHANGHAI).strftime("%Y-%m-01") for row in made if row.at < END)
    assert sum((Counter({one.span: one.count}) for one in by_month), Counter()) == months


def _drawn(drawn: random.Random, number: int) -> Counted:
    marks = drawn.sample(["acquired", "stat", "contrast"], drawn.randrange(3))
    value = drawn.choice([None, 10.0, 40.0, drawn.uniform(0, 60)])
    role, system = f"PractitionerRole/o-{drawn.randrange(3)}", f"B{drawn.randrange(4)}"
    at = START + timedelta(minutes=drawn.randrange(100 * 1440))
    return counted("exam", f"Task/o-{number}", at, marks, value=value, requester=role, system=system)


def _later(drawn: random.Random, one: Counted) -> Counted:
    at = one.at + timedelta(days=drawn.randrange(30))
    return counted("exam", one.member, at, ["again"], value=one.value, requester=one.requester, system=one.system)


def _remark(drawn: random.Random) -> Counted:
    member, marks = f"Task/o-{drawn.randrange(3000)}", [drawn.choice(["error", "late", ""])]
    return counted("exam", member, START, marks, remark=True, scanner=drawn.choice(["", "Device/o-2"]))


def _by_hand(rows: list[Counted], asked: Asked, bounds: list[float]) -> dict[Any, Any]:
    said: dict[str, list[Counted]] = {}
    for row in rows:
        if row.remark:
            said.setdefault(row.member, []).append(row)
    found: dict[Any, Any] = {}
    last: dict[str, tuple[datetime, int]] = {}
    for place, row in enumerate(rows):
        if not row.remark and row.at < asked.end:
            last[row.member] = max((row.at, place), last.get(row.member, (row.at, place)))
    for place, row in enumerate(rows):
        if asked.newest and last.get(row.member) != (row.at, place):
            continue
        if row.remark or not asked.start <= row.at < asked.end:
            continue
        own = said.get(row.member, [])
        if asked.system and row.system != asked.system:
            continue
        if asked.requesters is not None and row.requester not in asked.requesters:
            continue
        if asked.scanner and asked.scanner not in [row.scanner, *(one.scanner for one in own)]:
            continue
        telling = [one for one in own if one.marks]
        remarks = " ".join(sorted({one.marks for one in telling}))
        below = 0 if row.value is None else sum(row.value <= bound for bound in bounds)
        held = found.setdefault((row.marks, remarks, below, row.value is not None), ([], [0, 0]))
        held[0].append(row)
        held[1][0] += sum(one.first for one in telling)
        held[1][1] += sum(one.second for one in telling)
    return found


async def test_sums_of_days_tell_what_the_rows_tell_whatever_came_and_went(place: Place) -> None:
    """Asked for everybody's requests by name, the rows are read one by one; asked for all, the sums of days are."""
    await place.pool.execute("DELETE FROM counted")
    drawn, everybody = random.Random(3), [f"PractitionerRole/o-{n}" for n in range(3)]
    for turn in range(8):
        made = [_drawn(drawn, drawn.randrange(400)) for _ in range(drawn.randrange(80))]
        made += [_later(drawn, one) for one in made if drawn.random() < 0.2]
        made += [_remark(drawn)._replace(member=one.member) for one in made if drawn.random() < 0.1]
        rows = [(turn * 1000 + number, *row) for number, row in enumerate(made)]
        async with place.pool.acquire() as connection:
            await connection.copy_records_to_table("counted", records=rows, columns=["key", *Counted._fields])
        gone = [drawn.randrange(turn * 1000 + 100) for _ in range(turn * 40)]
        await place.pool.execute("DELETE FROM counted WHERE key = ANY($1::bigint[])", gone)
        await place.pool.execute(
            "UPDATE counted SET at = at + $1, value = value * 1.5, marks = 'late', first = -first WHERE key % 17 = $2",
            timedelta(hours=drawn.randrange(-60, 60)),
            turn,
        )
        if turn % 3 == 0:
            while await fold(place.pool):
                pass
        for newest in (False, True):
            start = START + timedelta(hours=drawn.randrange(-30, 400))
            asked = Asked("exam", start, start + timedelta(hours=drawn.randrange(1, 2400)), newest=newest)
            one_by_one = replace(asked, requesters=everybody)
            for bounds, per in ([10.0, 40.0], "month"), ([], ""), ([10.0], "week"):
                groups = await looks_at(place).groups(asked, bounds, per)
                assert groups == await looks_at(place).groups(one_by_one, bounds, per)
            for kept in ([one for one in groups if not one.remarks], groups):
                told = [
                    await looks_at(place).quantiles(each, kept, [0, 0.1, 0.5, 0.77, 1]) for each in (asked, one_by_one)
                ]
                assert told[0] == told[1]
                assert bool(told[0]) == any(one.valued for one in kept)
    tables = "counted_sum", "counted_month"
    whole = "SELECT count(*) AS n FROM (SELECT FROM {} GROUP BY population, day, marks, step) s"
    left = [await place.rows(whole.format(one)) for one in tables]
    while await Tidying(place.running.kernel).step():
        pass
    for one, [most] in zip(tables, left, strict=True):
        [folded] = await place.rows(f"SELECT count(*) AS n, bool_and(folded) AS every FROM {one}")
        assert folded["every"] and folded["n"] <= most["n"]
    assert tuple(sorted(set(STEPS))) == STEPS
    for bound, before, after in await place.rows(
        "SELECT b, counted_step(b), counted_step(b * 1.0000001) FROM unnest($1::float8[]) b", STEPS
    ):
        assert (before, after) == (STEPS.index(bound), STEPS.index(bound) + 1)
    assert all(is_step(one.within) for one in definitions().values() if one.within is not None), (
        "else it is counted slowly"
    )


async def test_folding_beside_writers_and_other_folders_loses_nothing(place: Place) -> None:
    await place.pool.execute("DELETE FROM counted")
    drawn = random.Random(5)
    rows = [_drawn(drawn, number) for number in range(300)]
    columns = ["key", *Counted._fields]
    async with place.pool.acquire() as writer, place.pool.acquire() as connection:
        await connection.copy_records_to_table("counted", records=[(1, *one) for one in rows], columns=columns)
        async with writer.transaction():
            await writer.copy_records_to_table("counted", records=[(2, *one) for one in rows[:100]], columns=columns)
            await writer.execute("DELETE FROM counted WHERE key = 1 AND value IS NULL")
            await asyncio.gather(*(fold(place.pool) for _ in range(4)))
            asked = Asked("exam", START, END)
            assert sum(one.count for one in await looks_at(place).groups(asked)) == 300, "not committed yet"
        await asyncio.gather(*(fold(place.pool) for _ in range(4)))
    groups = await looks_at(place).groups(asked)
    kept = [*(one for one in rows if one.value is not None), *rows[:100]]
    assert sum(one.count for one in groups) == len(kept)
    assert sum(one.first for one in groups) == sum(one.first for one in kept)
