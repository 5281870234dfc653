"""What may be an endpoint: every spelling of a forbidden address is refused where it is written."""

from __future__ import annotations

import ipaddress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from slipring.fhir.delivery.endpoint_places import Places
from slipring.fhir.delivery.endpoint_policy import EndpointPolicy, Target, target_of
from slipring.fhir.service import Keeps, Service

from tests.fhir.place import opened, where
from tests.fhir.test_delivery import subscription

HOSPITAL, DEMO = EndpointPolicy(), EndpointPolicy(demo=True)
FORBIDDEN = (
    "http://169.254.169.254/latest/meta-data/",
    "http://169.254.169.254./",
    "https://169.254.170.2/v2/credentials",
    "http://100.100.100.200/latest/meta-data/",
    "http://[fd00:ec2::254]/latest/",
    "http://[::ffff:169.254.169.254]/",
    "http://[::ffff:a9fe:a9fe]/",
    "http://[64:ff9b::a9fe:a9fe]/",
    "http://[2002:a9fe:a9fe::]/",
    "http://[::a9fe:a9fe]/",
    "http://[2001:0:4136:e378:8000:63bf:3fff:fdd2]/",
    "http://[64:ff9b:1:fffe::a9fe:a9fe]/",
    "http://[fe80::1]/",
    "http://[ff02::1]/",
    "http://[::]/",
    "http://0.0.0.0/",
    "http://0.1.2.3/",
    "http://224.0.0.1/",
    "http://255.255.255.255/",
    "http://metadata.google.internal/computeMetadata/v1/",
    "http://METADATA.google.internal./",
    "http://instance-data/",
)
LOOPBACK = (
    "http://127.0.0.1:8103/report/fhir",
    "https://127.255.1.2/",
    "http://localhost:9999/",
    "http://LocalHost./",
    "http://a.localhost/",
    "http://[::1]/",
    "http://[0:0:0:0:0:0:0:1]/",
    "http://[::ffff:127.0.0.1]/",
    "http://[::ffff:7f00:1]/",
)
NO_ADDRESS = (
    "",
    "ftp://his.example/",
    "file:///etc/passwd",
    "gopher://his.example:70/",
    "//his.example/",
    "http:his.example",
    "http:///path",
    "http://user@his.example/",
    "http://user:word@his.example/",
    "http://his.example@169.254.169.254/",
    "http://his.example\\@169.254.169.254/",
    "http://his.example#@169.254.169.254/",
    "http://his.example/#x",
    "http://2852039166/",
    "http://0xA9FEA9FE/",
    "http://0xa9.0xfe.0xa9.0xfe/",
    "http://0251.0376.0251.0376/",
    "http://169.254.43518/",
    "http://127.1/",
    "http://127.0.0.1.0x/",
    "http://[fe80::1%25eth0]/",
    "http://[::1",
    "http://::1/",
    "http://１２７.0.0.1/",
    "http://ⓛocalhost/",
    "http://his%2eexample/",
    "http://his..example/",
    "http://./",
    "http://his.example:0x50/",
    "http://his.example:123456/",
    "http://his.example /",
    "http://his.example/a\r\nX: 1",
    "http://his.example/a b",
    "https://his.example/" + "a" * 3000,
)


@pytest.mark.parametrize("address", FORBIDDEN)
def test_nobody_is_notified_at_an_address_that_is_no_subscriber(address: str) -> None:
    for policy in (HOSPITAL, DEMO):
        refused = policy.judge(address, "x")
        assert refused is not None and refused.detail == "kernel.endpoint-forbidden", address


@pytest.mark.parametrize("address", LOOPBACK)
def test_loopback_is_for_demos_only(address: str) -> None:
    refused = HOSPITAL.judge(address, "x")
    assert refused is not None and refused.detail == "kernel.endpoint-forbidden"
    assert DEMO.judge(address, "x") is None


@pytest.mark.parametrize("address", NO_ADDRESS)
def test_an_address_has_its_usual_form_and_hides_nothing(address: str) -> None:
    for policy in (HOSPITAL, DEMO):
        refused = policy.judge(address, "x")
        assert refused is not None and refused.detail == "kernel.endpoint-address", address


@pytest.mark.parametrize(
    "address",
    [
        "https://his.example/hook?a=1&b=%E4%B8%AD",
        "https://his.example:8443/",
        "http://his.example/hook",  # where it leads is asked when it is connected to
        "http://10.1.2.3:8080/hook",
        "http://192.168.0.7/",
        "http://[fd12:3456::1]:9000/",
        "https://8.8.8.8/",
        "https://xn--fiqs8s.example/",
        "https://his.example./",
    ],
)
def test_hospitals_live_in_private_ranges_and_the_world_is_reached_by_tls(address: str) -> None:
    assert HOSPITAL.judge(address, "x") is None


@pytest.mark.parametrize(
    ("address", "code"),
    [
        ("http://8.8.8.8/", "kernel.endpoint-plain-http"),
        ("http://[2606:4700::1]/", "kernel.endpoint-plain-http"),
        ("http://10.0.0.1:22/", "kernel.endpoint-port"),
        ("http://10.0.0.1:6379/", "kernel.endpoint-port"),
        ("http://10.0.0.1:0/", "kernel.endpoint-port"),
        ("http://10.0.0.1:65536/", "kernel.endpoint-port"),
        ("https://his.example:25/", "kernel.endpoint-port"),
    ],
)
def test_plain_http_stays_inside_and_ports_are_those_of_web_services(address: str, code: str) -> None:
    refused = HOSPITAL.judge(address, "x")
    assert refused is not None and refused.detail == code


def test_a_deployment_lists_what_alone_may_be_notified_what_never_and_what_against_the_rule() -> None:
    policy = EndpointPolicy.stated(
        only=["*.hospital.example", "10.0.0.0/8", "127.0.0.1"],
        denied=["10.9.0.0/16", "old.hospital.example"],
        exempt=["127.0.0.1", "169.0.0.0/8", "10.1.1.1"],
    )

    def code(address: str) -> str:
        refused = policy.judge(address, "x")
        return refused.detail if refused else ""

    assert code("https://pacs.hospital.example/") == code("http://10.1.2.3/") == code("http://127.0.0.1:9999/") == ""
    assert code("http://10.1.1.1:22/") == ""
    assert code("http://10.9.1.1/") == code("https://old.hospital.example/") == "kernel.endpoint-forbidden"
    assert code("https://9.9.9.9/") == "kernel.endpoint-not-listed"
    assert code("http://127.0.0.2/") == "kernel.endpoint-forbidden"
    # A range wider than the forbidden one does not mean it.
    assert code("http://169.254.169.254/") == "kernel.endpoint-forbidden"
    other = policy.judge_connection(Target("https", "his.example", 443), ipaddress.ip_address("9.9.9.9"))
    assert other is not None and other.detail == "kernel.endpoint-not-listed"


@pytest.mark.parametrize("entry", ["10.0.0.1/8", "a b", "1.2.3", "http://x/", ""])
def test_a_list_that_cannot_be_read_is_told_by_its_entry(entry: str) -> None:
    with pytest.raises(ValueError, match="^" + entry.replace(".", r"\.")):
        Places.of([entry])


FORBIDDEN_NETWORKS = [ipaddress.ip_network(n) for n in ("169.254.0.0/16", "127.0.0.0/8", "224.0.0.0/4", "0.0.0.0/8")]


@given(network=st.sampled_from(FORBIDDEN_NETWORKS), offset=st.integers(0, 2**32), port=st.integers(1024, 65535))
def test_no_spelling_of_a_forbidden_ipv4_address_is_let_through(network: Any, offset: int, port: int) -> None:
    address = network[offset % network.num_addresses]
    number = int(address)
    first, *others = str(address).split(".")
    spellings = [
        str(address),
        f"{number}",
        f"{number:#x}",
        f"{number:#o}".replace("0o", "0"),
        ".".join([first, str(number & 0xFFFFFF)]),
        ".".join([f"{int(first):#x}", *others]),
        f"[::ffff:{address}]",
        f"[::ffff:{number >> 16:x}:{number & 0xFFFF:x}]",
        f"[64:ff9b::{number >> 16:x}:{number & 0xFFFF:x}]",
        f"[2002:{number >> 16:x}:{number & 0xFFFF:x}::1]",
    ]
    for spelling in spellings:
        for dot in ("", "."):
            assert HOSPITAL.judge(f"http://{spelling}{dot if spelling[0] != '[' else ''}:{port}/", "x") is not None, (
                spelling
            )
    named = Target("https", "his.example", port)
    for resolved in (address, ipaddress.ip_address(f"::ffff:{address}")):
        assert HOSPITAL.judge_connection(named, resolved) is not None


@given(st.text(max_size=40))
def test_any_text_is_judged_and_a_host_is_never_empty(text: str) -> None:
    target = target_of(f"http://{text}/")
    HOSPITAL.judge(f"http://{text}/", "x")
    assert target is None or target.host


async def test_a_subscription_with_such_an_endpoint_is_refused_at_the_element(data_dir: Path) -> None:
    service = Service("order", "o", "x", keeps=[Keeps("Task")])
    async with opened(data_dir, service, endpoints=HOSPITAL) as street:
        place = street["order"]
        for endpoint in (FORBIDDEN[0], LOOPBACK[0], NO_ADDRESS[5], "http://8.8.8.8/"):
            answer = await place.ask("POST", "Subscription", subscription(endpoint=endpoint))
            assert (answer.status_code, where(answer)) == (422, ["Subscription.channel.endpoint"]), endpoint
        made = await place.make(subscription())
        changed = {**made, "channel": {**made["channel"], "endpoint": LOOPBACK[0]}}
        answer = await place.ask("PUT", f"Subscription/{made['id']}", changed)
        assert (answer.status_code, where(answer)) == (422, ["Subscription.channel.endpoint"])
        assert await place.rows("SELECT endpoint FROM subscription") == [(made["channel"]["endpoint"],)]
