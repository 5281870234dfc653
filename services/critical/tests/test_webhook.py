"""The webhook: what leaves, and what each answer means."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
import respx
from slipring.fhir.delivery.endpoint_connection import outside_client
from slipring.fhir.delivery.endpoint_policy import EndpointPolicy
from slipring_critical.channels import CHANNELS
from slipring_critical.channels.channel import DeliveryFailed, Line, Message, Outside
from slipring_critical.channels.media import media

ADDRESS = "https://ward.test/ring"


def a_message(*, repeat: bool = False) -> Message:
    return Message(
        case="Task/k-1",
        communication="Communication/k-2",
        level="1",
        text_zh="有一条危急值等待您确认",
        text_en="A critical finding waits for you.",
        link="https://front.test/fhir/Task/k-1",
        attempt_id="a-1",
        repeat=repeat,
        sent_at=datetime(2026, 3, 2, 4, 0, tzinfo=UTC),
    )


def outside(client: httpx.AsyncClient) -> Outside:
    return Outside(client, EndpointPolicy.stated(), 5.0, Path())


async def deliver(message: Message) -> None:
    async with httpx.AsyncClient() as client:
        await CHANNELS["webhook"].deliver(message, Line(ADDRESS), outside(client))


async def failure() -> DeliveryFailed:
    with pytest.raises(DeliveryFailed) as caught:
        await deliver(a_message())
    return caught.value


@respx.mock
async def test_a_message_carries_its_attempt_id_and_says_whether_it_is_a_repeat() -> None:
    route = respx.post(ADDRESS).respond(202)

    await deliver(a_message())
    await deliver(a_message(repeat=True))

    assert [call.request.headers["Idempotency-Key"] for call in route.calls] == ["a-1", "a-1"]
    assert [call.request.headers["Slipring-Repeat"] for call in route.calls] == ["false", "true"]


@respx.mock
async def test_a_message_says_that_something_waits_and_nothing_about_whom() -> None:
    route = respx.post(ADDRESS).respond(200)

    await deliver(a_message())

    assert json.loads(route.calls.last.request.content) == {
        "case": "Task/k-1",
        "communication": "Communication/k-2",
        "level": "1",
        "text": {"zh": "有一条危急值等待您确认", "en": "A critical finding waits for you."},
        "link": "https://front.test/fhir/Task/k-1",
        "attempt": "a-1",
        "repeat": False,
        "sentAt": "2026-03-02T04:00:00.000+00:00",
    }


@pytest.mark.parametrize(
    ("status", "permanent"),
    [
        (301, True),
        (307, True),
        (400, True),
        (404, True),
        (410, True),
        (408, False),
        (429, False),
        (500, False),
        (503, False),
    ],
)
@respx.mock
async def test_a_wrong_address_is_permanent_and_a_sick_server_is_not(status: int, permanent: bool) -> None:
    respx.post(ADDRESS).respond(status, headers={"Location": "https://elsewhere.test/"})
    elsewhere = respx.post("https://elsewhere.test/").respond(200)

    failed = await failure()

    assert (failed.reason, failed.permanent) == (f"http-{status}", permanent)
    assert not elsewhere.called


@pytest.mark.parametrize(
    ("error", "reason"), [(httpx.ConnectError("refused"), "unreachable"), (httpx.ReadTimeout("slow"), "timeout")]
)
@respx.mock
async def test_a_network_failure_may_pass(error: httpx.HTTPError, reason: str) -> None:
    respx.post(ADDRESS).mock(side_effect=error)

    failed = await failure()

    assert (failed.reason, failed.permanent) == (reason, False)


def test_every_channel_is_a_medium_that_rings_and_the_other_way_round() -> None:
    assert set(CHANNELS) == {medium.code for medium in media().values() if medium.rings}


async def test_an_address_that_the_policy_refuses_is_permanent_but_for_the_operators_own_route() -> None:
    """A name may turn after it was saved; the fallback route stands in the settings and may well be on this machine."""
    heard: list[bytes] = []

    async def pager(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(b"HTTP/1.1 202 Taken\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(pager, "127.0.0.1", 0)
    own = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/ring"
    async with server, outside_client(EndpointPolicy.stated()) as strict:
        with pytest.raises(DeliveryFailed) as raised:
            await CHANNELS["webhook"].deliver(a_message(), Line(own), outside(strict))
        assert (raised.value.reason, raised.value.permanent, heard) == ("forbidden-address", True, [])
        async with outside_client(EndpointPolicy.stated(trusted=[own])) as client:
            await CHANNELS["webhook"].deliver(a_message(), Line(own), outside(client))
    assert len(heard) == 1
