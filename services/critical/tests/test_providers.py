"""The circuit breaker of a provider and the room it has, with a clock of the test's own."""

from __future__ import annotations

import pytest
from slipring_critical.channels import CHANNELS
from slipring_critical.channels.channel import DeliveryFailed
from slipring_critical.channels.providers import Bounds, Providers

LIMITS = Bounds(3, 20.0, 8, 4, 2.0, 30.0)


class AClock:
    """Seconds that the test lets pass."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


class AProvider:
    """One provider as a process knows it."""

    def __init__(self) -> None:
        self.clock = AClock()
        self.providers = Providers(self.clock, LIMITS)

    def tried(self, reason: str = "", *, permanent: bool = False, urgent: bool = False, first: bool = True) -> str:
        """Why a message did not go out, '' when it did; `reason`: what the provider says."""
        try:
            with self.providers.using("sms", urgent=urgent, first=first):
                if reason:
                    raise DeliveryFailed(reason, permanent=permanent)
        except DeliveryFailed as failure:
            return failure.reason
        return ""


def down() -> AProvider:
    provider = AProvider()
    for _ in range(3):
        provider.tried("timeout")
    return provider


def test_three_failures_in_a_row_and_nothing_goes_to_it_until_it_has_rested() -> None:
    provider = AProvider()
    assert [provider.tried("timeout") for _ in range(2)] == ["timeout", "timeout"]
    assert provider.tried() == "", "a success between them counts from the beginning again"
    assert [provider.tried("http-500") for _ in range(3)] == ["http-500"] * 3
    assert provider.tried() == "provider-down"
    assert provider.providers.down() == {"sms": 3}
    provider.clock.now = 20.0
    assert provider.tried("timeout") == "timeout", "the probe"
    assert provider.tried() == "provider-down", "and it rests again"
    provider.clock.now = 40.0
    assert [provider.tried(), provider.tried()] == ["", ""]
    assert provider.providers.down() == {}


def test_level_1_tries_once_all_the_same_and_opens_the_way_when_it_succeeds() -> None:
    provider = down()
    assert provider.tried("timeout", urgent=True) == "timeout"
    assert provider.tried(urgent=True, first=False) == "provider-down"
    assert provider.tried(urgent=True) == ""
    assert provider.tried() == ""


def test_one_probe_at_a_time() -> None:
    provider = down()
    provider.clock.now = 20.0
    with provider.providers.using("sms", urgent=False, first=False):
        assert provider.tried() == "provider-down"
    assert provider.tried() == ""


@pytest.mark.parametrize(("reason", "permanent"), [("http-429", False), ("bad-address", True), ("http-404", True)])
def test_who_asks_for_patience_or_does_not_know_the_address_is_not_down(reason: str, permanent: bool) -> None:
    provider = AProvider()
    for _ in range(5):
        assert provider.tried(reason, permanent=permanent) == reason
    assert provider.tried() == ""


def test_what_hangs_takes_the_room_of_its_own_provider_only_and_level_1_has_room_kept() -> None:
    provider = AProvider()
    held = [provider.providers.using("sms", urgent=False, first=True) for _ in range(4)]
    for one in held:
        one.__enter__()
    assert provider.tried() == "provider-busy"
    assert provider.tried(urgent=True) == ""
    with provider.providers.using("other", urgent=False, first=True):
        pass
    for one in held:
        one.__exit__(None, None, None)
    assert provider.tried() == ""


def test_the_next_try_comes_later_each_time_and_when_the_provider_says() -> None:
    assert [LIMITS.wait_seconds(tries, None) for tries in (1, 2, 3, 9)] == [2, 4, 8, 30]
    assert LIMITS.wait_seconds(1, 17.0) == 17


@pytest.mark.parametrize(
    ("medium", "address", "name"),
    [
        ("webhook", "https://Gate.test/ring", "gate.test:443"),
        ("webhook", "https://gate.test:443/other", "gate.test:443"),
        ("webhook", "http://gate.test", "gate.test:80"),
        ("fhir", "https://gate.test:8443/fhir", "gate.test:8443"),
        ("sms", "json://user:secret@Gate.test:8080/sms", "json:gate.test:8080"),
        ("sms", "twilio://AC1:secret@+861/+862", "twilio"),
    ],
)
def test_a_provider_is_one_server_two_of_them_on_one_host_fail_apart(medium: str, address: str, name: str) -> None:
    assert CHANNELS[medium].provider(address) == name
