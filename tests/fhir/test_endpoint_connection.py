"""Outside endpoints are reached at exactly the address that was judged: real sockets, a resolver that changes its mind."""

from __future__ import annotations

import asyncio
import datetime
import ipaddress
import ssl
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from slipring.fhir.delivery.endpoint_connection import EndpointRefused, SystemResolver, outside_client
from slipring.fhir.delivery.endpoint_policy import EndpointPolicy
from slipring.fhir.delivery.notification import Notification
from slipring.fhir.delivery.sending import post
from slipring.fhir.service import Keeps, Service

from tests.fhir.place import a_task, opened, until
from tests.fhir.test_delivery import subscription

GOOD, INNER = "127.0.0.2", "127.0.0.1"
# As if 127.0.0.2 lay in the hospital: nothing else of this machine may be reached.
POLICY = EndpointPolicy.stated(exempt=[GOOD])


@dataclass
class Receiver:
    """A server on one address of this machine that keeps what it hears and answers what it is told."""

    address: str
    port: int = 0
    answer: bytes = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
    heard: list[bytes] = field(default_factory=list)
    after: Callable[[asyncio.StreamWriter], object] | None = None

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                length = next(
                    (int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")), 0
                )
                self.heard.append(head + await reader.readexactly(length))
                writer.write(self.answer)
                await writer.drain()
                if self.after:
                    await self.after(writer)  # type: ignore[misc]
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


@asynccontextmanager
async def receiving(*receivers: Receiver, tls: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    """All of them at the same port."""
    port, servers = 0, []
    for receiver in receivers:
        server = await asyncio.start_server(receiver.serve, receiver.address, port, ssl=tls)
        port = receiver.port = server.sockets[0].getsockname()[1]
        servers.append(server)
    try:
        yield port
    finally:
        for server in servers:
            server.close()


class Turning:
    """A name server of an attacker: another answer each time it is asked."""

    def __init__(self, *answers: list[str]) -> None:
        self.answers = list(answers)
        self.asked: list[str] = []

    async def __call__(self, host: str, port: int) -> list[str]:
        self.asked.append(host)
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


async def test_a_name_that_turns_to_this_machine_is_refused_and_the_first_answer_is_the_one_connected_to() -> None:
    good, inner = Receiver(GOOD), Receiver(INNER)
    good.answer = inner.answer = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    turning = Turning([GOOD], [INNER], ["169.254.169.254"])
    async with receiving(good, inner) as port, outside_client(POLICY, resolve=turning) as client:
        assert (await client.post(f"http://his.example:{port}/hook", content=b"1")).status_code == 200
        for _ in range(2):
            with pytest.raises(EndpointRefused, match=r"kernel\.endpoint-forbidden"):
                await client.post(f"http://his.example:{port}/hook", content=b"2")
    assert len(good.heard) == 1 and b"\r\nHost: his.example:" in good.heard[0]
    assert inner.heard == []
    assert len(turning.asked) == 3  # once for each connection, never again between judging and connecting


async def test_an_open_connection_stays_with_its_address_whatever_the_name_says_now() -> None:
    good, inner = Receiver(GOOD), Receiver(INNER)
    turning = Turning([GOOD], [INNER])
    async with receiving(good, inner) as port, outside_client(POLICY, resolve=turning) as client:
        for _ in range(3):
            assert (await client.post(f"http://his.example:{port}/hook")).status_code == 200
    assert (len(good.heard), inner.heard, len(turning.asked)) == (3, [], 1)


@pytest.mark.parametrize(
    "bad", [INNER, "::1", "169.254.169.254", "::ffff:127.0.0.1", "fd00:ec2::254", "64:ff9b::7f00:1", "0.0.0.0"]
)
async def test_one_bad_address_among_good_ones_refuses_the_name(bad: str) -> None:
    good, inner = Receiver(GOOD), Receiver(INNER)
    for answers in ([GOOD, bad], [bad, GOOD]):
        async with receiving(good, inner) as port, outside_client(POLICY, resolve=Turning(answers)) as client:
            with pytest.raises(EndpointRefused):
                await client.post(f"http://his.example:{port}/hook")
    assert good.heard == inner.heard == []


async def test_the_systems_own_resolver_is_judged_too_with_every_way_to_write_this_machine() -> None:
    inner = Receiver(INNER)
    async with receiving(inner) as port, outside_client(EndpointPolicy(), resolve=SystemResolver()) as client:
        for host in (
            "localhost",
            "127.0.0.1",
            "2130706433",
            "0x7f.1",
            "0177.0.0.1",
            "localhost.",
            "[::1]",
            "[::ffff:7f00:1]",
        ):
            with pytest.raises((EndpointRefused, httpx.InvalidURL)):
                await client.post(f"http://{host}:{port}/")
        with pytest.raises(EndpointRefused):
            await client.post(f"http://2130706433:{port}/")
    assert inner.heard == []


async def test_the_next_address_is_tried_when_one_does_not_answer() -> None:
    good = Receiver(GOOD)
    policy = EndpointPolicy.stated(exempt=[GOOD, "127.0.0.3"])
    async with receiving(good) as port, outside_client(policy, resolve=Turning(["127.0.0.3", GOOD])) as client:
        assert (await client.post(f"http://his.example:{port}/hook")).status_code == 200


async def test_a_redirect_is_an_answer_and_nobody_goes_there() -> None:
    inner = Receiver(INNER)
    good = Receiver(
        GOOD, answer=b"HTTP/1.1 307 Go\r\nLocation: http://169.254.169.254/latest/\r\nContent-Length: 0\r\n\r\n"
    )
    async with receiving(good, inner) as port, outside_client(POLICY, resolve=Turning([GOOD])) as client:
        answer = await post(client, f"http://his.example:{port}/", Notification(b"", {}), held=lambda: True, seconds=5)
        assert (answer.status, answer.error, answer.taken) == (307, "HTTP 307", False)
        # Even a caller that follows gets no further than the policy.
        with pytest.raises(EndpointRefused):
            await client.post(f"http://his.example:{port}/", follow_redirects=True)
        good.answer = f"HTTP/1.1 302 Go\r\nLocation: http://127.0.0.1:{port}/\r\nContent-Length: 0\r\n\r\n".encode()
        with pytest.raises(EndpointRefused):
            await client.get(f"http://his.example:{port}/", follow_redirects=True)
    assert inner.heard == [] and len(good.heard) == 3


async def test_proxies_of_the_environment_are_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    good, proxy = Receiver(GOOD), Receiver(INNER)
    async with receiving(good, proxy) as port:
        for name in ("http_proxy", "HTTPS_PROXY", "ALL_PROXY"):
            monkeypatch.setenv(name, f"http://{INNER}:{port}")
        async with outside_client(POLICY, resolve=Turning([GOOD])) as client:
            assert (await client.post(f"http://his.example:{port}/")).status_code == 200
    assert proxy.heard == []


async def test_plain_http_to_the_world_is_refused_whatever_the_name() -> None:
    async with outside_client(EndpointPolicy(), resolve=Turning(["93.184.215.14"])) as client:
        with pytest.raises(EndpointRefused, match="plain-http"):
            await client.post("http://his.example/")


# --- TLS ----------------------------------------------------------------------------------------------------


def certified(folder: Path, name: str) -> tuple[ssl.SSLContext, Path]:
    """A certificate for one name, and the file with the root that vouches for it."""
    now = datetime.datetime.now(datetime.UTC)
    keys = [ec.generate_private_key(ec.SECP256R1()) for _ in range(2)]
    root_name, own = (x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, text)]) for text in ("A root", name))

    def built(subject: x509.Name, key: ec.EllipticCurvePrivateKey, ca: bool) -> x509.Certificate:
        builder = (
            x509.CertificateBuilder().subject_name(subject).issuer_name(root_name).public_key(key.public_key())
            .serial_number(x509.random_serial_number()).not_valid_before(now - datetime.timedelta(days=1))
            .not_valid_after(now + datetime.timedelta(days=1))
            .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(keys[0].public_key()), critical=False)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        )  # fmt: skip
        if not ca:
            builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        return builder.sign(keys[0], hashes.SHA256())

    roots, chain = folder / "roots.pem", folder / f"{name}.pem"
    roots.write_bytes(built(root_name, keys[0], True).public_bytes(serialization.Encoding.PEM))
    private = keys[1].private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    chain.write_bytes(private + built(own, keys[1], False).public_bytes(serialization.Encoding.PEM))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(chain)
    return context, roots


async def test_the_certificate_is_asked_for_and_checked_by_the_name_though_the_address_was_chosen(
    tmp_path: Path,
) -> None:
    context, roots = certified(tmp_path, "his.example")
    asked: list[str | None] = []
    context.sni_callback = lambda _, name, __: asked.append(name)
    good = Receiver(GOOD)
    async with receiving(good, tls=context) as port:
        async with outside_client(POLICY, resolve=Turning([GOOD]), roots=roots) as client:
            assert (await client.post(f"https://his.example:{port}/")).status_code == 200
            for name in (f"other.example:{port}", f"{GOOD}:{port}"):
                with pytest.raises(httpx.ConnectError):
                    await client.post(f"https://{name}/")
        async with outside_client(POLICY, resolve=Turning([GOOD])) as client:
            with pytest.raises(httpx.ConnectError):
                await client.post(f"https://his.example:{port}/")
    assert asked[:2] == ["his.example", "other.example"]
    assert len(good.heard) == 1 and f"Host: his.example:{port}".encode() in good.heard[0]


# --- answers that do not end --------------------------------------------------------------------------------


async def test_no_answer_is_waited_for_without_an_end_and_none_is_read_whole() -> None:
    async def trickle(writer: asyncio.StreamWriter) -> None:
        for _ in range(200):
            writer.write(b"x")
            await asyncio.sleep(0.05)

    async def pour(writer: asyncio.StreamWriter) -> None:
        for _ in range(3000):
            writer.write(b"x" * 65536)
            await writer.drain()
            poured.append(1)

    poured: list[int] = []
    slow = Receiver(GOOD, answer=b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n", after=trickle)
    late = Receiver("127.0.0.3", answer=b"HTTP/1.1 200 OK\r\nX-Slow: ", after=trickle)
    endless = Receiver(
        "127.0.0.4",
        answer=b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 999999999\r\n\r\n",
        after=pour,
    )
    policy = EndpointPolicy.stated(exempt=["127.0.0.2", "127.0.0.3", "127.0.0.4"])
    async with receiving(slow, late, endless) as port, outside_client(policy) as client:
        for receiver in (slow, late):
            before = time.monotonic()
            with pytest.raises(httpx.TimeoutException):
                await client.post(f"http://{receiver.address}:{port}/", timeout=0.7)
            assert time.monotonic() - before < 5
        answer = await client.post(f"http://127.0.0.4:{port}/", timeout=20)
        assert answer.status_code == 200 and len(answer.content) < 2 * 65536 + 1
        await until(lambda: asyncio.sleep(0, len(slow.heard) == len(late.heard) == len(endless.heard) == 1))
    assert len(poured) < 3000


async def test_slow_name_servers_end_in_a_timeout() -> None:
    async def never(host: str, port: int) -> list[str]:
        await asyncio.sleep(3600)
        return []

    async with outside_client(POLICY, resolve=never) as client:
        with pytest.raises(httpx.ConnectTimeout):
            await client.post("http://his.example/", timeout=httpx.Timeout(9, connect=0.3))


async def test_a_name_without_an_address_is_unreachable_not_a_fault() -> None:
    async with outside_client(POLICY, resolve=Turning([])) as client:
        with pytest.raises(httpx.ConnectError):
            await client.post("http://his.example/")
    async with outside_client(POLICY) as client:
        with pytest.raises(httpx.ConnectError):
            await client.post("http://" + "a" * 64 + ".example/")  # a label that no resolver takes


# --- through a lane -----------------------------------------------------------------------------------------


async def test_a_lane_whose_name_turns_is_in_error_by_the_code_and_goes_on_when_it_turns_back(data_dir: Path) -> None:
    good, inner = Receiver(GOOD), Receiver(INNER)
    good.answer = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    turning = Turning([INNER])
    service = Service("order", "o", "x", keeps=[Keeps("Task")])
    async with (
        receiving(good, inner) as port,
        opened(data_dir, service, endpoints=POLICY, http=outside_client(POLICY, resolve=turning)) as street,
    ):
        place = street["order"]
        made = await place.make(subscription(endpoint=f"http://his.example:{port}/hook"))
        await place.running.start()
        await place.make(a_task())

        async def errors() -> bool:
            shown = (await place.ask("GET", f"Subscription/{made['id']}")).json()
            return bool(shown.get("error") == "kernel.endpoint-forbidden")

        await until(errors, 30)
        turning.answers = [[GOOD]]
        await until(lambda: asyncio.sleep(0, len(good.heard) == 1), 60)
    assert inner.heard == []


def test_addresses_of_this_test_are_loopback() -> None:
    assert all(ipaddress.ip_address(address).is_loopback for address in (GOOD, INNER))
