"""Events come from every way a version can be written, one for each version, and from no followed copy."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from slipring.fhir.service import (
    Arrival,
    Call,
    Changes,
    Desk,
    Due,
    Errand,
    Follows,
    Keeps,
    Operation,
    Save,
    Service,
    Wake,
    Write,
    successor,
)

from tests.fhir.place import IMPORT, Place, Resource, a_bundle, a_patient, a_task, opened, until
from tests.support.backport import DONE, Endpoint, topical

JSON_PATCH = {"Content-Type": "application/json-patch+json"}


async def wakes(write: Write, desk: Desk) -> Changes:
    """A draft arms a timer, a proposal sends an errand."""
    wished = {"draft": "ring", "received": "carry"}.get(str(write.resource.get("status")))
    return Changes(wake=[Wake(wished, write.reference, timedelta(0))]) if wished else Changes.none()


async def completed(subject: str, desk: Desk) -> Changes:
    task = await desk.read(subject)
    return Changes(save=[successor(task, status="completed")]) if task else Changes.none()


async def rang(due: Due, desk: Desk) -> Changes:
    return await completed(due.subject, desk)


async def carried(errand: Errand, desk: Desk, _http: object) -> Changes:
    return await completed(errand.subject, desk)


async def finished(call: Call, desk: Desk) -> Changes:
    assert call.target is not None
    return Changes(save=[successor(call.target, status="completed")])


async def arrived(arrival: Arrival, desk: Desk) -> Changes:
    """A followed task makes a message of our own."""
    message: Resource = {"resourceType": "Communication", "id": desk.new_id(), "status": "completed"}
    return Changes(save=[Save(message)]) if arrival.before is None and not arrival.deleted else Changes.none()


ORDER = Service(
    "order",
    "o",
    "x",
    keeps=[Keeps("Task", wakes), Keeps("Patient")],
    operations=[Operation("Task", "finish", finished)],
    timers={"ring": rang},
    errands={"carry": carried},
    topics=[DONE],
)
REPORT = Service("report", "r", "x", keeps=[Keeps("Communication")], follows=[Follows("order", "Task", then=arrived)])


def waiting_for(criteria: str) -> Resource:
    asked = topical(criteria=criteria)
    del asked["meta"], asked["channel"]["_payload"]
    return asked


async def write_in_every_way(order: Place) -> int:
    """Every interaction that stores a version; how many tasks become completed by it."""
    for status in ("completed", "draft", "received"):  # by REST, by a timer, by an errand
        await order.make(a_task(status))
    made = await order.make(a_task("requested"))
    path = f"Task/{made['id']}"
    assert (await order.ask("POST", f"{path}/$finish")).is_success
    stood = (await order.ask("GET", path)).json()
    assert (await order.ask("PUT", path, {**stood, "status": "requested"})).is_success
    steps = '[{"op": "replace", "path": "/status", "value": "completed"}]'
    assert (await order.ask("PATCH", path, steps, headers=JSON_PATCH)).is_success
    label = {"name": "meta", "valueMeta": {"tag": [{"system": "urn:a", "code": "x"}]}}
    labelled = {"resourceType": "Parameters", "parameter": [label]}
    assert (await order.ask("POST", f"{path}/$meta-add", labelled)).is_success
    assert (await order.ask("DELETE", path)).is_success
    person = a_patient(identifier=[{"system": "urn:a", "value": "1"}])
    once = {"If-None-Exist": "identifier=urn:a|1"}
    assert (await order.ask("POST", "Patient", person, headers=once)).status_code == 201
    assert (await order.ask("POST", "Patient", person, headers=once)).status_code == 200  # no version
    assert (await order.ask("PUT", "Patient?identifier=urn:a|1", {**person, "active": True})).is_success
    active = '[{"op": "replace", "path": "/active", "value": false}]'
    assert (await order.ask("PATCH", "Patient?identifier=urn:a|1", active, headers=JSON_PATCH)).is_success
    assert (await order.ask("DELETE", "Patient?identifier=urn:a|1")).is_success
    for kind in ("transaction", "batch"):
        both = a_bundle(kind, ("POST", "Task", a_task("completed")), ("POST", "Patient", a_patient()))
        assert (await order.ask("POST", "", both)).is_success
    loaded = {**a_task("completed"), "id": "from-before"}
    assert (await order.ask("PUT", "Task/from-before", loaded, scopes=IMPORT)).is_success
    refused = await order.ask("POST", "Task", {**a_task(), "status": "nonsense"})
    assert refused.status_code == 400
    return 3 + 2 + 2 + 1


async def test_every_version_of_ours_is_one_event_and_a_copy_is_none(data_dir: Path) -> None:
    endpoint = Endpoint()
    async with opened(data_dir, ORDER, REPORT, outside=endpoint) as street:
        order, report = street["order"], street["report"]
        for kind in ("Task", "Patient"):
            await order.make(waiting_for(kind))
        await order.make(topical())
        await report.make(waiting_for("Communication"))
        for place in (order, report):
            await place.running.start()
        done = await write_in_every_way(order)

        async def all_told() -> bool:
            tasks = await report.rows("SELECT count(*) AS n FROM resource WHERE source = 'order'")
            messages = await report.rows("SELECT count(*) AS n FROM resource WHERE type = 'Communication'")
            ours = await order.rows("SELECT count(*) AS n FROM resource WHERE type = 'Task'")
            left = [await place.rows(_LEFT) for place in (order, report)]
            return tasks[0]["n"] == ours[0]["n"] == messages[0]["n"] and left == [[], []]

        await until(all_told, 30)
        for place in (order, report):
            assert await place.rows(_UNTOLD) == []
            assert await place.rows(_TWICE) == []
        [topic] = await order.rows("SELECT last_number FROM subscription WHERE topic <> ''")
        deletions = 1
        assert topic["last_number"] == done + deletions
        assert await report.rows("SELECT 1 FROM outbox WHERE type = 'Task'") == []


_LEFT = """SELECT 1 FROM outbox WHERE NOT fanned_out UNION ALL SELECT 1 FROM timer
  UNION ALL SELECT 1 FROM delivery WHERE state = 'waiting'"""
# Versions of our own that a subscriber to their type was not told of.
_UNTOLD = """SELECT r.type, v.version, v.method FROM version v JOIN resource r ON r.key = v.key
  WHERE r.source = '' AND r.type <> 'Subscription' AND NOT EXISTS (SELECT FROM delivery d JOIN subscription s
    ON s.id = d.subscription AND s.criteria = r.type AND NOT s.internal WHERE d.key = v.key AND d.version = v.version)"""
_TWICE = "SELECT subscription, key, version FROM delivery GROUP BY subscription, key, version HAVING count(*) > 1"
