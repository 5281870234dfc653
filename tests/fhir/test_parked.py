"""Deliveries that wait or were parked are seen by whom they concern, sent again or given up for a reason, and on record."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
from slipring.fhir.service import Keeps, Service

from tests.fhir.place import ALL, Place, Resource, a_task, opened, until, where
from tests.fhir.test_delivery import SERVICE, Hook, delivered, subscription

ADMIN = {"Authorization": "Bearer warden slipring/administer"}
OTHER = {"Authorization": f"Bearer somebody {ALL}"}


@asynccontextmanager
async def parked(data_dir: Path, *answers: int, events: int = 3) -> AsyncIterator[tuple[Place, Hook, str]]:
    """A subscription with some events behind it, answered so."""
    hook = Hook(*answers)
    async with opened(data_dir, SERVICE, outside=hook, deliveries_at_once=1) as street:
        place = street["order"]
        made = await place.make(subscription("Task"))
        await place.running.start()
        for _ in range(events):
            await place.make(a_task())
        yield place, hook, f"Subscription/{made['id']}"


def parts(answer: httpx.Response, name: str) -> list[dict[str, Any]]:
    assert answer.status_code == 200, answer.text
    found = [p for p in answer.json().get("parameter", []) if p["name"] == name]
    return [{part["name"]: next(v for k, v in part.items() if k != "name") for part in one["part"]} for one in found]


def numbers(answer: httpx.Response) -> list[str]:
    assert answer.status_code == 200, answer.text
    return [parameter["valueString"] for parameter in answer.json().get("parameter", [])]


def body(**values: Any) -> Resource:
    listed = [(name, one) for name, value in values.items() for one in (value if isinstance(value, list) else [value])]
    return {
        "resourceType": "Parameters",
        "parameter": [{"name": name, "valueString": str(one)} for name, one in listed],
    }


async def test_what_was_parked_is_listed_and_sent_again_under_its_own_number(data_dir: Path) -> None:
    async with parked(data_dir, 422, 200, 422) as (place, hook, reference):
        await until(lambda: delivered(place, 3), 30)
        answer = await place.ask("GET", f"{reference}/$deliveries")
        [lane] = parts(answer, "subscription")
        assert (lane["parked"], lane["waiting"], lane["endpoint"]) == (2, 0, "http://his.example")
        listed = parts(answer, "delivery")
        assert [(one["number"], one["state"], one["attempts"], one["lastError"]) for one in listed] == [
            ("1", "parked", 1, "HTTP 422"),
            ("3", "parked", 1, "HTTP 422"),
        ]
        assert listed[0]["reference"]["reference"].startswith("Task/o-") and listed[0]["since"]
        assert "hook" not in answer.text  # the endpoint's path may be the secret
        one = await place.ask("POST", f"{reference}/$resume", body(number=3))
        assert numbers(one) == ["3"]
        await until(lambda: told(hook, 4), 30)
        assert hook.got[3].headers["Slipring-Event-Number"] == "3"
        assert hook.got[3].headers["Slipring-Repeat"] == "true"
        assert hook.got[3].headers["Idempotency-Key"] == hook.got[2].headers["Idempotency-Key"]
        assert numbers(await place.ask("POST", f"{reference}/$resume")) == ["1"]
        await until(lambda: told(hook, 5), 30)
        await until(lambda: settled(place), 30)
        assert parts(await place.ask("GET", f"{reference}/$deliveries"), "delivery") == []
        again = await place.ask("POST", f"{reference}/$resume", body(number=[1, 3]))
        assert (again.status_code, where(again)) == (409, ["number"])
        rows = await place.rows(
            "SELECT interaction, resource, client FROM audit WHERE resource LIKE '%$resume' ORDER BY id"
        )
        assert [tuple(row) for row in rows] == [("operation", f"{reference}/$resume", "his")] * 2


async def told(hook: Hook, count: int) -> bool:
    return len(hook.got) >= count


async def troubled(place: Place, events: int) -> bool:
    sql = "SELECT 1 FROM subscription WHERE status = 'error' AND last_number = $1"
    return bool(await place.rows(sql, events))


async def settled(place: Place) -> bool:
    rows = await place.rows("SELECT 1 FROM delivery WHERE state <> 'delivered'")
    lanes = await place.rows("SELECT 1 FROM subscription WHERE delivered_number <> last_number")
    return not rows and not lanes


async def test_a_delivery_is_given_up_for_a_reason_and_its_number_stays_taken(data_dir: Path) -> None:
    async with parked(data_dir, *[503] * 200, events=2) as (place, hook, reference):
        await until(lambda: troubled(place, 2), 30)
        answer = await place.ask("GET", f"{reference}/$deliveries?state=waiting&_count=1")
        assert [one["number"] for one in parts(answer, "delivery")] == ["1"]
        [lane] = parts(answer, "subscription")
        assert (
            (lane["status"], lane["waiting"]) == ("error", 2)
            and lane["lastError"] == "HTTP 503"
            and lane["oldestWaiting"]
        )
        following = await place.ask("GET", f"{reference}/$deliveries?state=waiting&after=1")
        assert [one["number"] for one in parts(following, "delivery")] == ["2"]
        for wrong in (
            body(number=1),
            body(reason="x"),
            body(number=1, reason=" "),
            body(number=1, reason="y" * 501),
            body(number="x", reason="y"),
        ):
            assert (await place.ask("POST", f"{reference}/$skip", wrong)).status_code == 400
        nothing = await place.ask("POST", f"{reference}/$skip", body(number=[1, 7], reason="gone"))
        assert nothing.status_code == 409
        assert await place.rows("SELECT 1 FROM delivery WHERE state = 'skipped'") == []
        skipped = await place.ask(
            "POST", f"{reference}/$skip", body(number=[1, 2], reason="the room is closed"), headers=ADMIN
        )
        assert numbers(skipped) == ["1", "2"]
        rows = await place.rows("SELECT number, state, error FROM delivery ORDER BY number")
        assert [tuple(row) for row in rows] == [(n, "skipped", "warden: the room is closed") for n in (1, 2)]
        hook.answers.clear()
        await place.make(a_task())
        await until(lambda: delivered(place, 3), 60)
        assert hook.got[-1].headers["Slipring-Event-Number"] == "3"
        audits = await place.rows("SELECT client FROM audit WHERE resource = $1", f"{reference}/$skip")
        assert [row["client"] for row in audits] == ["warden"]
        assert not await place.rows(
            "SELECT 1 FROM audit WHERE parameters::text LIKE '%closed%' OR disclosed::text LIKE '%closed%'"
        )


async def test_deliveries_are_the_owners_and_the_administrators_business(data_dir: Path) -> None:
    async with parked(data_dir, 422, events=1) as (place, _, reference):
        await until(lambda: delivered(place, 1), 30)
        for method, path in (
            ("GET", "$deliveries"),
            ("POST", "$resume"),
            ("POST", "$skip"),
            ("POST", "$rotate-secret"),
        ):
            filled = body(number=1, reason="r") if path == "$skip" else None
            assert (await place.ask(method, f"{reference}/{path}", filled, headers=OTHER)).status_code == 403
            assert (
                await place.ask(method, f"{reference}/{path}", filled, scopes="system/Task.cruds")
            ).status_code == 403
            assert (await place.ask(method, f"Subscription/o-none/{path}", filled)).status_code == 404
        for path in ("$resume", "$skip", "$rotate-secret"):
            assert (await place.ask("GET", f"{reference}/{path}")).status_code == 405
        assert parts(await place.ask("GET", "Subscription/$deliveries", headers=OTHER), "subscription") == []
        assert len(parts(await place.ask("GET", "Subscription/$deliveries", headers=ADMIN), "subscription")) == 1
        assert len(parts(await place.ask("GET", f"{reference}/$deliveries", headers=ADMIN), "delivery")) == 1
        await place.ask("DELETE", reference)
        assert (await place.ask("POST", f"{reference}/$resume")).status_code == 410
        assert parts(await place.ask("GET", "Subscription/$deliveries", headers=ADMIN), "subscription") == []


async def test_notifications_are_signed_once_a_secret_was_made_and_by_two_while_it_changes(data_dir: Path) -> None:
    hook = Hook()
    service = Service("order", "o", "x", keeps=[Keeps("Task")])
    async with opened(data_dir, service, outside=hook) as street:
        place = street["order"]
        made = await place.make(subscription("Task"))
        await place.running.start()
        reference = f"Subscription/{made['id']}"

        async def notified(count: int) -> httpx.Request:
            await place.make(a_task())
            await until(lambda: delivered(place, count), 30)
            return hook.got[-1]

        assert "Slipring-Signature" not in (await notified(1)).headers
        first = await rotated(place, reference)
        assert "previousUntil" not in first
        assert by(await notified(2)) == [first["secret"]] == by(hook.got[-1], first["secret"])
        second = await rotated(place, reference)
        assert by(await notified(3), second["secret"], first["secret"]) == [second["secret"], first["secret"]]
        third = await rotated(place, reference, overlapHours=0)
        assert by(await notified(4), third["secret"], second["secret"], first["secret"]) == [third["secret"]]
        assert (await place.ask("POST", f"{reference}/$rotate-secret", body(overlapHours=999))).status_code == 400
        kept = str(
            [
                dict(row)
                for table in ("subscription", "audit", "version")
                for row in await place.rows(f"SELECT * FROM {table}")
            ]
        )
        assert not any(one["secret"] in kept for one in (first, second, third))


async def rotated(place: Place, reference: str, **values: Any) -> dict[str, str]:
    answer = await place.ask("POST", f"{reference}/$rotate-secret", body(**values) if values else None)
    assert answer.status_code == 200 and answer.headers["cache-control"] == "no-store"
    SECRETS.extend(p["valueString"] for p in answer.json()["parameter"] if p["name"] == "secret")
    return {p["name"]: p.get("valueString") or p["valueInstant"] for p in answer.json()["parameter"]}


SECRETS: list[str] = []


def by(request: httpx.Request, *known: str) -> list[str]:
    """Whose signatures a notification carries."""
    time, *macs = request.headers["Slipring-Signature"].split(",")
    text = time.removeprefix("t=").encode() + b"." + request.content
    expected = {f"v1={hmac.new(one.encode(), text, hashlib.sha256).hexdigest()}": one for one in known or SECRETS}
    return [expected[mac] for mac in macs]
