"""What goes through Apprise: mail, messengers, gateways; each connection judged, each wait ended."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from email import message_from_bytes
from email.policy import default
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from slipring_critical.channels import CHANNELS
from slipring_critical.channels.by_apprise import offers
from slipring_critical.channels.channel import Line
from slipring_critical.channels.media import media

from tests.support.listening import LINK, STRICT, TEXT, a_receiver, failure, told


class Mailbox:
    """What an SMTP server was given."""

    def __init__(self) -> None:
        self.got: list[bytes] = []

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802 - aiosmtpd's name
        self.got.append(envelope.content)
        return "250 OK"


@asynccontextmanager
async def a_mail_server() -> AsyncIterator[tuple[Mailbox, int]]:
    mailbox = Mailbox()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    server = Controller(mailbox, hostname="127.0.0.1", port=port)
    await asyncio.to_thread(server.start)
    try:
        yield mailbox, port
    finally:
        await asyncio.to_thread(server.stop)


async def test_mail_goes_by_smtp_to_the_server_that_the_address_names() -> None:
    async with a_mail_server() as (mailbox, port):
        await told("email", Line(f"mailto://127.0.0.1:{port}/?from=ct@hospital.test&to=ward7@hospital.test"))
    [mail] = [message_from_bytes(one, policy=default) for one in mailbox.got]
    body = mail.get_body(("plain",))
    assert body is not None
    assert mail["To"] == "ward7@hospital.test"
    assert body.get_content().strip() == TEXT


async def test_no_library_connects_where_the_policy_forbids_it() -> None:
    """Loopback is forbidden but in the demo: neither the mail library nor a gateway's client reaches this machine."""
    with a_receiver() as receiver:
        port = receiver.url.rpartition(":")[2]
        for medium, address in (
            ("email", f"mailto://127.0.0.1:{port}/?from=a@b.test&to=c@d.test"),
            ("sms", f"json://127.0.0.1:{port}/sms"),
            ("push", f"ntfy://localhost:{port}/topic"),
        ):
            failed = await failure(medium, Line(address), STRICT)
            assert (failed.reason, failed.permanent) == ("forbidden-address", True), medium
            assert CHANNELS[medium].judge(address, STRICT) is not None, medium
    assert receiver.got == []


async def test_a_gateway_that_hangs_ends_in_time_and_one_that_refuses_may_recover() -> None:
    with a_receiver(hangs=True) as hanging:
        address = hanging.url.replace("http", "json")
        begun = asyncio.get_running_loop().time()
        failed = await failure("sms", Line(f"{address}/sms"))
        assert (failed.reason, failed.permanent) == ("timeout", False) or failed.reason == "not-taken"
        assert asyncio.get_running_loop().time() - begun < 9
    with a_receiver(503) as sick:
        failed = await failure("sms", Line(f"{sick.url.replace('http', 'json')}/sms"))
        assert (failed.reason, failed.permanent) == ("not-taken", False)


async def test_a_provider_that_hangs_holds_only_so_many_threads_and_some_of_them_for_level_1_alone() -> None:
    with a_receiver(hangs=True) as hanging:
        line = Line(f"{hanging.url.replace('http', 'json')}/sms")
        levels = ["3"] * 6 + ["1"] * 6
        told = await asyncio.gather(*(failure("sms", line, level=level) for level in levels))
    busy = [level for level, one in zip(levels, told, strict=True) if one.reason == "provider-busy"]
    assert busy == ["3", "3", "1", "1"]


PROVIDERS = {
    "wecom": ("wecombot://BOTKEY-0123456789", "https://qyapi.weixin.qq.com/cgi-bin/webhook/send", {"errcode": 0}),
    "dingtalk": ("dingtalk://ABCDEF0123456789", "https://oapi.dingtalk.com/robot/send", {"errcode": 0}),
    "feishu": ("feishu://0123-4567-89ab", "https://open.feishu.cn/open-apis/bot/v2/hook/0123-4567-89ab", {"code": 0}),
}


@pytest.mark.parametrize("medium", PROVIDERS)
async def test_messengers_are_told_text_and_link_by_their_own_interface(
    medium: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Their requests are caught where `requests` would open a connection."""
    import requests

    address, expected, answer = PROVIDERS[medium]
    seen: list[requests.PreparedRequest] = []

    def send(self: Any, request: requests.PreparedRequest, **_: Any) -> requests.Response:
        seen.append(request)
        response = requests.Response()
        response.status_code, response._content = 200, json.dumps(answer).encode()
        return response

    monkeypatch.setattr(requests.adapters.HTTPAdapter, "send", send)
    await told(medium, Line(address), policy=STRICT)
    [request] = seen
    assert str(request.url).startswith(expected)
    body = request.body if isinstance(request.body, bytes) else str(request.body).encode()
    assert LINK.encode() in body.replace(b"\\/", b"/")
    assert "k-2" not in body.decode()


@pytest.mark.parametrize(
    ("medium", "address"),
    [
        ("wecom", "dingtalk://ABCDEF0123456789"),
        ("sms", "syslog://127.0.0.1"),
        ("email", "mailto://"),
        ("push", "ntfys://push.test/topic?verify=no"),
        ("email", "https://mail.test"),
    ],
)
async def test_an_address_of_another_kind_is_refused_when_saved_and_permanent_when_sent(
    medium: str, address: str
) -> None:
    assert CHANNELS[medium].judge(address, STRICT) is not None
    assert (await failure(medium, Line(address), STRICT)).permanent


def test_every_medium_that_apprise_carries_is_a_medium() -> None:
    assert set(offers()) <= {medium.code for medium in media().values() if medium.rings}
