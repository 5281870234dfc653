"""Copies of another service: filled from a snapshot, kept by events, dated by a pulse, never answered here."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from slipring.fhir.caller import itself
from slipring.fhir.delivery.arriving import Arrived, take
from slipring.fhir.service import Arrival, Changes, Desk, Follows, Keeps, Save, Service

from tests.fhir.place import Street, a_patient, a_task, opened, until

ORDER = Service("order", "o", "x", keeps=[Keeps("Task"), Keeps("Patient")])


async def arrived(arrival: Arrival, desk: Desk) -> Changes:
    """One issue for each task, made with the first version that arrives."""
    if arrival.before is not None or arrival.deleted:
        return Changes.none()
    return Changes(save=[Save({"resourceType": "DetectedIssue", "id": desk.new_id(), "status": "final"})])


def report(criteria: str = "Task?status=requested") -> Service:
    follows = [Follows("order", criteria, then=arrived), Follows("order", "Patient")]
    return Service("report", "r", "y", keeps=[Keeps("DetectedIssue")], follows=follows)


@pytest.fixture
async def street(data_dir: Path) -> AsyncIterator[Street]:
    async with opened(data_dir, ORDER, report()) as opened_street:
        yield opened_street


async def begin(street: Street) -> None:
    for place in street.places.values():
        await place.running.start()
    await until(lambda: filled(street))


async def filled(street: Street) -> bool:
    return (await street["report"].client.get("/report/health/ready")).status_code == 200


async def copies(street: Street, type_: str = "Task") -> dict[str, tuple[int, bool]]:
    rows = await street["report"].rows(
        "SELECT id, version, deleted FROM resource WHERE source = 'order' AND type = $1", type_
    )
    return {row["id"]: (row["version"], row["deleted"]) for row in rows}


async def test_copies_are_filled_then_follow_and_are_never_answered(street: Street) -> None:
    order = street["order"]
    old = await order.make(a_task())
    assert (await street["report"].client.get("/report/health/ready")).status_code == 503
    await begin(street)
    new = await order.make(a_task())
    await until(lambda: holds(street, {old["id"]: (1, False), new["id"]: (1, False)}))
    await order.ask("PUT", f"Task/{new['id']}", {**new, "status": "completed"})
    await until(lambda: holds(street, {old["id"]: (1, False), new["id"]: (2, False)}))
    await order.ask("DELETE", f"Task/{old['id']}")
    await until(lambda: holds(street, {old["id"]: (2, True), new["id"]: (2, False)}))
    assert len(await street["report"].found("DetectedIssue")) == 2
    assert (await street["report"].ask("GET", f"Patient/{new['id']}")).status_code == 404
    assert (
        len(await street["report"].rows("SELECT 1 FROM version v JOIN resource r USING (key) WHERE r.source <> ''"))
        == 2
    )
    assert not await street["report"].rows("SELECT 1 FROM outbox WHERE type = 'Task'")


async def test_a_resource_that_leaves_the_criteria_is_still_told_once(street: Street) -> None:
    await begin(street)
    task = await street["order"].make(a_task())
    await until(lambda: holds(street, {task["id"]: (1, False)}))
    for version in (2, 3):
        changed = {**task, "status": "completed", "description": str(version)}
        await street["order"].ask("PUT", f"Task/{task['id']}", changed)
    await until(lambda: holds(street, {task["id"]: (2, False)}))
    assert [r["version"] for r in await street["order"].rows("SELECT version FROM delivery ORDER BY number")] == [1, 2]


async def holds(street: Street, expected: dict[str, tuple[int, bool]]) -> bool:
    return await copies(street) == expected


async def test_a_pulse_dates_the_copies_also_when_nothing_happens(street: Street) -> None:
    await begin(street)

    async def as_of() -> object:
        return (await street["report"].rows("SELECT min(as_of) AS moment FROM follow"))[0]["moment"]

    first = await until(as_of)

    async def later() -> bool:
        return bool(await as_of() > first)

    await until(later)


async def test_one_act_knows_one_age_of_its_copies_whatever_pulses_meanwhile(street: Street) -> None:
    """What it decided on is what it stores: another age may stand by then, and belongs to the next act."""
    await begin(street)
    kernel = street["report"].running.kernel
    act = kernel.desk(itself("report"))
    decided_on = await until(lambda: act.as_of("order"))

    async def later() -> bool:
        return await kernel.desk(itself("report")).as_of("order") != decided_on

    await until(later)
    assert await act.as_of("order") == decided_on


async def test_events_twice_and_out_of_order_change_nothing(street: Street) -> None:
    await begin(street)
    task = await street["order"].make(a_task())
    await until(lambda: holds(street, {task["id"]: (1, False)}))
    changed = (await street["order"].ask("PUT", f"Task/{task['id']}", {**task, "description": "x"})).json()
    await until(lambda: holds(street, {task["id"]: (2, False)}))
    kernel = street["report"].running.kernel
    for tree, version in ((task, 1), (changed, 2)):
        await take(kernel, "order", [Arrived(tree, "", version)])
    assert await copies(street) == {task["id"]: (2, False)}
    assert len(await street["report"].found("DetectedIssue")) == 1


async def test_what_nobody_waits_for_is_stored_many_to_a_commit(street: Street) -> None:
    """Of several versions the last; what is kept here stays; a handler sees what came before its own event."""
    await begin(street)
    report = street["report"]
    own = await report.make({"resourceType": "DetectedIssue", "status": "final"})
    patients = [Arrived({**a_patient(), "id": f"o-{n}", "gender": "male"}, "", 1) for n in range(250)]
    again = [Arrived({**a_patient(), "id": "o-7", "gender": "female"}, "", v) for v in (3, 2)]
    gone = Arrived({"resourceType": "Patient", "id": "o-8"}, "", 2, deleted=True)
    mine = Arrived({**own, "status": "cancelled"}, "", 9)
    before = await report.rows("SELECT pg_current_xact_id()::text::bigint AS number")
    await take(report.running.kernel, "order", [*patients, *again, gone, mine])
    after = await report.rows("SELECT pg_current_xact_id()::text::bigint AS number")
    assert after[0]["number"] - before[0]["number"] < 20
    found = await copies(street, "Patient")
    assert len(found) == 250 and found["o-7"] == (3, False) and found["o-8"] == (2, True)
    women = await report.running.kernel.desk(itself("report")).search("Patient?gender=female")
    assert [each.resource["id"] for each in women] == ["o-7"]
    assert (await report.ask("GET", f"DetectedIssue/{own['id']}")).json()["status"] == "final"


async def test_a_lane_whose_sender_died_is_taken_over_at_once_and_repeats(data_dir: Path) -> None:
    async with opened(data_dir, ORDER, report()) as street:
        await begin(street)
        order = street["order"]
        await order.pool.execute(
            "UPDATE subscription SET worker = 42, lease_until = clock_timestamp() + interval '10 s', fence = fence + 1"
        )
        task = await order.make(a_task())
        await until(lambda: holds(street, {task["id"]: (1, False)}), 3)


async def test_a_follower_that_comes_back_hears_at_once_what_it_missed(data_dir: Path) -> None:
    around = {"schema_prefix": "comes_back_"}
    async with opened(data_dir, ORDER, report(), **around) as street:
        await begin(street)
        await street["report"].running.worker.stop()
        # As after a long time away: the lane rests for a minute.
        await street["order"].pool.execute(
            "UPDATE subscription SET status = 'error', failures = 9, next_attempt_at = clock_timestamp() + interval '60 s'"
        )
        task = await street["order"].make(a_task())
        street["report"].running.worker.follower._registered.clear()
        await street["report"].running.worker.start()
        await until(lambda: holds(street, {task["id"]: (1, False)}), 4)


async def test_other_criteria_fill_the_copies_anew(data_dir: Path) -> None:
    around = {"schema_prefix": "criteria_"}
    async with opened(data_dir, ORDER, report(), **around) as street:
        await street["order"].make(a_patient())
        draft = await street["order"].make(a_task("draft"))
        await begin(street)
        assert await copies(street) == {}
        assert len(await copies(street, "Patient")) == 1
    async with opened(data_dir, ORDER, report("Task"), **around) as street:
        await begin(street)
        await until(lambda: holds(street, {draft["id"]: (1, False)}))


async def test_a_handler_that_fails_holds_up_nobody_and_is_tried_again_until_it_is_done(data_dir: Path) -> None:
    """The copy is there at once, others go on, what is owed shows, and in the end it is done once, with what was known."""
    broken = True
    seen: list[tuple[str, object]] = []

    async def brittle(arrival: Arrival, desk: Desk) -> Changes:
        if broken and arrival.resource.get("description") == "hard":
            raise ZeroDivisionError
        before = arrival.before.resource.get("description") if arrival.before else None
        seen.append((arrival.resource["id"], before))
        return await arrived(Arrival(arrival.source, arrival.resource, arrival.version), desk)

    follows = [Follows("order", "Task", then=brittle), Follows("order", "Patient")]
    service = Service("report", "r", "y", keeps=[Keeps("DetectedIssue")], follows=follows)
    async with opened(data_dir, ORDER, service) as street:
        await begin(street)
        hard, easy = await street["order"].make(a_task(description="hard")), await street["order"].make(a_task())
        await until(lambda: holds(street, {hard["id"]: (1, False), easy["id"]: (1, False)}))
        await street["order"].ask("PUT", f"Task/{hard['id']}", {**hard, "priority": "stat"})
        await until(lambda: holds(street, {hard["id"]: (2, False), easy["id"]: (1, False)}))
        assert seen == [(easy["id"], None)]
        health = (await street["report"].client.get("/report/health/engine")).json()
        assert (health["status"], health["arrivals_owed"]) == ("warn", 1)
        assert (await street["order"].rows("SELECT status FROM subscription"))[0]["status"] == "active"
        broken = False
        await until(lambda: nothing_owed(street))
        assert seen == [(easy["id"], None), (hard["id"], None)]
        assert len(await street["report"].found("DetectedIssue")) == 2


async def nothing_owed(street: Street) -> bool:
    return not await street["report"].rows("SELECT 1 FROM timer")


async def test_only_the_services_themselves_may_use_the_addresses_between_them(street: Street) -> None:
    wish = {"criteria": "Task", "endpoint": "/report/follow/order"}
    headers = {"Authorization": "Bearer his system/*.cruds"}
    assert (await street["order"].client.put("/order/follows/report", json=wish, headers=headers)).status_code == 403
    as_report = {"Authorization": "Bearer slipring-report"}
    unreadable = {"criteria": "Task?nonsense=1", "endpoint": "/x"}
    answer = await street["order"].client.put("/order/follows/report", json=unreadable, headers=as_report)
    assert answer.status_code == 400
    forged = await street["report"].client.post(
        "/report/follow/order", json={"resourceType": "Bundle"}, headers=headers
    )
    assert forged.status_code == 403
