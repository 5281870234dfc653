"""A subscriber is told only what its client may read: when an event gets its number, and again when it is sent."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

from slipring.fhir.caller import Caller
from slipring.fhir.service import Keeps, Service

from tests.fhir.place import Place, Resource, a_patient, a_task, opened, until
from tests.fhir.test_topics import settled
from tests.support.backport import DONE, Endpoint, told, topical

SERVICE = Service("order", "o", "x", keeps=[Keeps("Task"), Keeps("Patient")], topics=[DONE])
OWN = "system/Subscription.cruds"


class Standing:
    """What a subscriber may do now: as it was, less, or nothing."""

    def __init__(self) -> None:
        self.scopes: frozenset[str] | None = None
        self.revoked = False

    async def __call__(self, caller: Caller) -> Caller | None:
        if self.revoked:
            return None
        return caller if self.scopes is None else replace(caller, scopes=self.scopes)


def plain(criteria: str = "Task?status=completed") -> Resource:
    """The R4 rest-hook with payload."""
    asked = topical(criteria=criteria)
    del asked["meta"], asked["channel"]["_payload"]
    return asked


@asynccontextmanager
async def told_to(
    data_dir: Path, asked: Resource, scopes: str, standing: Standing
) -> AsyncIterator[tuple[Place, Resource, Endpoint]]:
    endpoint = Endpoint()
    async with opened(data_dir, SERVICE, outside=endpoint, standing=standing) as street:
        place = street["order"]
        answer = await place.ask("POST", "Subscription", asked, scopes=f"{OWN} {scopes}")
        assert answer.status_code == 201, answer.text
        yield place, answer.json(), endpoint


async def all_settled(place: Place) -> None:
    async def done() -> bool:
        handshakes = await place.rows("SELECT 1 FROM subscription WHERE unverified")
        return not handshakes and await settled(place)

    await until(done)


async def test_a_limited_scope_gives_numbers_only_to_what_it_reaches(data_dir: Path) -> None:
    for asked in (topical(), plain()):
        async with told_to(data_dir, asked, "system/Task.rs?priority=stat", Standing()) as (place, _, endpoint):
            seen = [await place.make(a_task("completed", priority=one)) for one in ("routine", "stat", "asap", "stat")]
            await place.ask("DELETE", f"Task/{seen[2]['id']}")
            await place.ask("DELETE", f"Task/{seen[3]['id']}")
            await place.running.start()
            await all_settled(place)
            numbers = await place.rows("SELECT number, resource_id, method FROM delivery ORDER BY number")
        mine = [seen[1]["id"], seen[3]["id"], seen[3]["id"]]
        assert [(row["number"], row["resource_id"]) for row in numbers] == list(enumerate(mine, 1))
        assert numbers[2]["method"] == "DELETE"
        sent = "".join(request.content.decode() + str(request.headers) for request in endpoint.requests)
        assert seen[0]["id"] not in sent and seen[2]["id"] not in sent


async def test_what_is_not_shown_to_everybody_is_told_only_to_whom_it_is_shown(data_dir: Path) -> None:
    for scopes, expected in (("system/Task.rs", 1), ("system/Task.rs slipring/draft-read", 2)):
        async with told_to(data_dir, topical(), scopes, Standing()) as (place, made, endpoint):
            hidden, open_ = await place.make(a_task("completed")), await place.make(a_task("completed"))
            await place.pool.execute(
                "UPDATE version v SET audience = '{}' FROM resource r WHERE r.key = v.key AND r.id = $1", hidden["id"]
            )
            await place.running.start()
            await all_settled(place)
            replay = await place.ask("GET", f"Subscription/{made['id']}/$events", scopes=f"{OWN} system/Task.rs")
        assert len(endpoint.events()) == expected
        assert endpoint.events()[-1]["focus"].endswith(open_["id"])
        assert hidden["id"] not in replay.text and open_["id"] in replay.text


async def test_a_scope_lost_before_the_sending_leaves_the_number_and_nothing_else(data_dir: Path) -> None:
    standing = Standing()
    async with told_to(data_dir, topical("full-resource"), "system/Task.rs", standing) as (place, _, endpoint):
        standing.scopes = frozenset({"system/Task.rs?priority=stat"})
        lost = await place.make(a_task("completed"))
        kept = await place.make(a_task("completed", priority="stat"))
        await place.running.start()
        await all_settled(place)
    first, second = endpoint.bundles("event-notification")
    assert sorted(told(first)["events"][0]) == ["context", "event-number", "timestamp"]
    assert len(first["entry"]) == 1 and lost["id"] not in str(first)
    assert told(second)["events"][0]["focus"].endswith(kept["id"])
    assert endpoint.numbers() == [1, 2]


async def test_a_plain_rest_hook_is_not_told_what_it_lost_and_the_next_event_goes_on(data_dir: Path) -> None:
    standing = Standing()
    async with told_to(data_dir, plain(), "system/Task.rs", standing) as (place, _, endpoint):
        standing.scopes = frozenset({"system/Task.rs?priority=stat"})
        await place.make(a_task("completed"))
        kept = await place.make(a_task("completed", priority="stat"))
        await place.running.start()
        await all_settled(place)
        states = await place.rows("SELECT state FROM delivery ORDER BY number")
    assert [request.headers["Slipring-Event"] for request in endpoint.requests] == [f"Task/{kept['id']}/_history/1"]
    assert [row["state"] for row in states] == ["withheld", "delivered"]


async def test_a_revoked_client_is_told_nothing_and_what_waited_once_it_is_back(data_dir: Path) -> None:
    for asked in (topical(), plain()):
        standing = Standing()
        async with told_to(data_dir, asked, "system/Task.rs", standing) as (place, made, endpoint):
            standing.revoked = True
            await place.make(a_task("completed"))
            await place.running.start()

            async def failing(place: Place = place, made: Resource = made) -> bool:
                shown = (await place.ask("GET", f"Subscription/{made['id']}")).json()
                return shown["status"] == "error" and "not registered" in shown["error"]

            await until(failing)
            assert endpoint.requests == []
            standing.revoked = False
            await all_settled(place)
            assert len(endpoint.requests) == (2 if asked["criteria"] == DONE.url else 1)


async def test_what_stands_beside_an_event_is_left_out_where_the_subscriber_may_not_read_it(data_dir: Path) -> None:
    for scopes, shown in (("system/Task.rs", 0), ("system/Task.rs system/Patient.rs", 1)):
        async with told_to(data_dir, topical("full-resource"), scopes, Standing()) as (place, _, endpoint):
            patient = await place.make(a_patient())
            await place.make(a_task("completed", **{"for": {"reference": f"Patient/{patient['id']}"}}))
            await place.running.start()
            await all_settled(place)
        [bundle] = endpoint.bundles("event-notification")
        assert len(told(bundle)["events"][0]["context"]) == shown
        assert len(bundle["entry"]) == 2 + shown


async def test_what_is_withheld_says_nothing_of_an_endpoint_that_fails(data_dir: Path) -> None:
    standing = Standing()
    async with told_to(data_dir, plain(), "system/Task.rs", standing) as (place, made, endpoint):
        endpoint.answers[:] = [500] * 100
        await place.make(a_task("completed"))
        await place.running.start()

        async def failing() -> bool:
            return bool((await place.ask("GET", f"Subscription/{made['id']}")).json()["status"] == "error")

        await until(failing)
        standing.scopes = frozenset({"system/Task.rs?priority=stat"})
        await all_settled(place)
        [lane] = await place.rows("SELECT status, error, failures FROM subscription WHERE NOT internal")
        assert (lane["status"], lane["error"]) == ("error", "HTTP 500") and lane["failures"] > 0
        shown = (await place.ask("GET", f"Subscription/{made['id']}")).json()
        assert shown["status"] == "error"
