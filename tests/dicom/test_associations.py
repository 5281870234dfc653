"""Who may call the DICOM port, and that whatever else comes over it harms nobody."""

from __future__ import annotations

import contextlib
import os
import random
import socket
import struct
import time
from ipaddress import ip_network

import httpx
import pytest
from pynetdicom import AE
from pynetdicom.sop_class import Verification
from slipring.runtime.settings import BadSettings
from slipring_order.dicom.admission import CALLED_UNKNOWN, CALLER_UNKNOWN, LIMIT_REACHED, rejection
from slipring_order.dicom.connection import GuardedSocket
from slipring_order.dicom.settings import DicomSettings, Peer

from tests.dicom.toolkit import needs_toolkit, scu
from tests.support.server import Server

SETTINGS = DicomSettings(port=1, peers={"CT1": Peer("CT1")}, associations=2)


def echoed(port: int, calling: str = "CT1") -> int | None:
    """The status of a C-ECHO; None when there was no association."""
    entity = AE(calling)
    entity.add_requested_context(Verification)
    entity.acse_timeout = entity.dimse_timeout = 20
    association = entity.associate("127.0.0.1", port, ae_title="SLIPRING")
    if not association.is_established:
        return None
    status = association.send_c_echo()
    association.release()
    return int(status.Status)


def until_echoed(port: int, *, seconds: float = 30) -> None:
    """Wait until a scanner gets through again."""
    end = time.monotonic() + seconds
    while echoed(port) != 0:
        assert time.monotonic() < end, "no scanner gets through"
        time.sleep(0.1)


@pytest.mark.parametrize(
    ("calling", "called", "established", "expected"),
    [
        ("CT1", "SLIPRING", 0, None),
        ("CT9", "SLIPRING", 0, CALLER_UNKNOWN),
        ("ct1", "SLIPRING", 0, CALLER_UNKNOWN),
        ("", "SLIPRING", 0, CALLER_UNKNOWN),
        ("CT1", "OTHER", 0, CALLED_UNKNOWN),
        ("CT1", "SLIPRING", 2, LIMIT_REACHED),
    ],
)
def test_an_association_is_let_in_by_its_titles_and_its_number(
    calling: str, called: str, established: int, expected: object
) -> None:
    refused = rejection(SETTINGS, calling, called, "10.0.0.1", established)
    assert (refused[0] if refused else None) == expected


def test_a_peer_bound_to_networks_calls_from_nowhere_else() -> None:
    entry = DicomSettings.from_env({"SLIPRING_DICOM_PORT": "1"})
    assert entry.peers == {}, "nobody may call unless somebody is named"
    peer = Peer("CT1", networks=(ip_network("10.1.0.0/16"), ip_network("fd00::/8")))
    assert peer.may_call_from("10.1.2.3")
    assert peer.may_call_from("fd00::1")
    assert peer.may_call_from("::ffff:10.1.2.3")
    assert not peer.may_call_from("10.2.2.3")
    assert not peer.may_call_from("nonsense")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SLIPRING_DICOM_PORT", "70000"),
        ("SLIPRING_DICOM_PORT", "-1"),
        ("SLIPRING_DICOM_AE_TITLE", "A TITLE OF MORE THAN SIXTEEN"),
        ("SLIPRING_DICOM_AE_TITLE", "放射科"),
        ("SLIPRING_DICOM_SECONDS", "0"),
        ("SLIPRING_DICOM_PEERS", "/nowhere/peers.toml"),
    ],
)
def test_a_setting_that_cannot_be_meant_is_refused(name: str, value: str) -> None:
    with pytest.raises(BadSettings, match=name if "AE_TITLE" not in name else "AE title"):
        DicomSettings.from_env({name: value})


@needs_toolkit
def test_the_toolkit_gets_its_echo(port: int) -> None:
    assert scu("echoscu", port).code == 0


@needs_toolkit
@pytest.mark.parametrize(
    ("calling", "called", "reason"),
    [
        ("STRANGER", "SLIPRING", "Calling AE Title Not Recognized"),
        ("FARAWAY", "SLIPRING", "Calling AE Title Not Recognized"),
        ("CT1", "ORTHANC", "Called AE Title Not Recognized"),
    ],
)
def test_who_is_not_on_the_list_is_rejected(port: int, calling: str, called: str, reason: str) -> None:
    said = scu("echoscu", port, calling=calling, called=called)
    assert said.code != 0
    assert reason in said.text


def test_more_associations_than_allowed_are_rejected_until_one_ends(port: int) -> None:
    entity = AE("CT1")
    entity.add_requested_context(Verification)
    until_echoed(port)
    held = [entity.associate("127.0.0.1", port, ae_title="SLIPRING") for _ in range(6)]
    assert all(one.is_established for one in held)
    one_more = entity.associate("127.0.0.1", port, ae_title="SLIPRING")
    assert one_more.is_rejected
    for one in held:
        one.release()
    until_echoed(port)


def test_who_connects_and_says_nothing_is_given_up(port: int) -> None:
    silent = [socket.create_connection(("127.0.0.1", port)) for _ in range(40)]
    try:
        until_echoed(port)
        for one in silent:
            one.settimeout(20)
            assert _is_closed(one)
    finally:
        for one in silent:
            one.close()


def _is_closed(connection: socket.socket) -> bool:
    """Whether the other side ends it; what it says before that does not matter."""
    try:
        while connection.recv(4096):
            pass
    except ConnectionError:
        return True
    return True


def test_nothing_said_is_held_back_for_an_acknowledgement() -> None:
    """A message is several PDUs: with the kernel's usual waiting each answer would come 40 ms late."""
    with (
        socket.create_server(("127.0.0.1", 0)) as listening,
        socket.create_connection(listening.getsockname()) as scanner,
    ):
        accepted, _ = listening.accept()
        with accepted:
            guarded = GuardedSocket(accepted, SETTINGS)
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) != 0
            scanner.sendall(struct.pack(">BBL", 5, 0, 4) + bytes(4))
            assert guarded.recv(6) + guarded.recv(4) == struct.pack(">BBL", 5, 0, 4) + bytes(4)


def test_a_request_that_drips_in_is_given_up(port: int) -> None:
    """A byte now and then keeps an idle timer alive; the whole PDU has its time."""
    request = bytes([1, 0]) + struct.pack(">L", 2000) + bytes(2000)
    with socket.create_connection(("127.0.0.1", port)) as slow:
        begun = time.monotonic()
        for byte in request:
            try:
                slow.send(bytes([byte]))
            except OSError:
                break
            time.sleep(0.2)
            assert time.monotonic() - begun < 60, "a drip was waited for without end"
    until_echoed(port)


def test_rubbish_of_every_kind_is_survived(port: int, served_port: Server) -> None:
    seed = random.Random(20261126)
    kinds = [
        b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + os.urandom(64),
        struct.pack(">BBL", 1, 0, 0xFFFFFFFF),
        struct.pack(">BBL", 4, 0, 0x7FFFFFFF) + b"x" * 100,
        struct.pack(">BBL", 1, 0, 4) + b"\0\1\0\0",
        struct.pack(">BBL", 1, 0, 200) + os.urandom(200),
        struct.pack(">BBL", 7, 0, 4) + bytes(4),
        struct.pack(">BBL", 5, 0, 4) + bytes(4),
        b"",
        *(seed.randbytes(seed.randint(1, 600)) for _ in range(12)),
    ]
    for kind in kinds:
        with socket.create_connection(("127.0.0.1", port), timeout=20) as one:
            with contextlib.suppress(OSError):  # it may be cut off before all is sent
                one.sendall(kind)
                one.shutdown(socket.SHUT_WR)
            assert _is_closed(one)
    until_echoed(port)
    health = httpx.get(f"{served_port.url}/order/health/engine", trust_env=False).json()
    assert health["checks"]["dicom:port"][0]["status"] == "pass"
    assert served_port.process is not None
    assert served_port.process.poll() is None


def test_rubbish_inside_an_association_ends_that_one_alone(port: int) -> None:
    entity = AE("CT1")
    entity.add_requested_context(Verification)
    other = entity.associate("127.0.0.1", port, ae_title="SLIPRING")
    broken = entity.associate("127.0.0.1", port, ae_title="SLIPRING")
    assert other.is_established
    assert broken.is_established
    broken.dul.socket.socket.sendall(struct.pack(">BBL", 4, 0, 20) + os.urandom(20))
    end = time.monotonic() + 20
    while broken.is_established and time.monotonic() < end:
        time.sleep(0.05)
    assert not broken.is_established
    assert int(other.send_c_echo().Status) == 0
    other.release()
