"""The channels of our own, against a receiver that really listens."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
import respx
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from joserfc import jwt
from joserfc.jwk import ECKey
from slipring.fhir.delivery.signature import Secret, signed
from slipring_critical.channels import CHANNELS
from slipring_critical.channels.channel import DeliveryFailed, Line, Outside
from slipring_critical.channels.media import languages, media, short_text
from slipring_critical.channels.push_key import as_application_server_key, push_key

from tests.support.browsers import a_browser, decrypted
from tests.support.listening import LINK, NOW, STRICT, TEXT, a_message, a_receiver, failure, told


async def test_a_webhook_is_signed_by_each_secret_in_force_and_by_none_that_is_over() -> None:
    secrets = (Secret("new"), Secret("old", NOW + timedelta(hours=1)), Secret("over", NOW - timedelta(hours=1)))
    with a_receiver() as receiver:
        await told("webhook", Line(f"{receiver.url}/ring", {"X-Ward": "7"}, secrets))
    [(path, headers, body)] = receiver.got
    assert path == "/ring"
    assert headers["x-ward"] == "7"
    assert headers["slipring-signature"] == signed(secrets[:2], body, NOW)
    assert headers["slipring-signature"].count("v1=") == 2


async def test_the_receivers_fhir_server_is_given_a_communication_request_once() -> None:
    """IHE PCC mACM ITI-84: who may read his server learns that something waits, and nothing about whom."""
    with a_receiver() as receiver:
        await told("fhir", Line(f"{receiver.url}/fhir/", {"Authorization": "Bearer his-own"}))
    [(path, headers, body)] = receiver.got
    request = json.loads(body)
    assert path == "/fhir/CommunicationRequest"
    assert headers["if-none-exist"].endswith("/identifier/attempt|a-1")
    assert headers["authorization"] == "Bearer his-own"
    assert headers["content-type"] == "application/fhir+json"
    assert (request["resourceType"], request["status"], request["priority"]) == (
        "CommunicationRequest",
        "active",
        "stat",
    )
    assert request["identifier"][0]["value"] == "a-1"
    assert [one["contentString"] for one in request["payload"]][-1] == LINK
    assert "subject" not in request and "about" not in request


async def test_a_board_keeps_the_message_without_anybody_listening() -> None:
    await told("board", Line("board:ward-7"))
    assert CHANNELS["board"].judge("board:ward-7", STRICT) is None
    assert CHANNELS["board"].judge("https://ward-7.test", STRICT) is not None


async def test_a_browser_can_read_what_its_push_service_cannot(tmp_path: Path) -> None:
    key, auth, fragment = a_browser()
    with a_receiver() as service:
        await told("browser", Line(f"{service.url}/push/abc{fragment}"), tmp_path)
    [(path, headers, body)] = service.got
    assert path == "/push/abc"
    assert (headers["content-encoding"], headers["urgency"], headers["ttl"]) == ("aes128gcm", "high", "600")
    assert TEXT.encode() not in body
    assert decrypted(body, key, auth)["text"] == TEXT
    scheme, _, parameters = headers["authorization"].partition(" ")
    given = dict(part.strip().split("=", 1) for part in parameters.split(","))
    own = push_key(tmp_path)
    public = own.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    claims = jwt.decode(given["t"], ECKey.import_key(public), ["ES256"]).claims
    assert (scheme.lower(), given["k"].rstrip("=")) == ("vapid", as_application_server_key(own))
    assert (claims["aud"], claims["sub"]) == ("http://127.0.0.1", "mailto:him@hospital.test")


@pytest.mark.parametrize("status", [404, 410])
async def test_a_browser_that_unsubscribed_is_not_tried_again(status: int, tmp_path: Path) -> None:
    with a_receiver(status) as service:
        failed = await failure("browser", Line(f"{service.url}/push/abc{a_browser()[2]}"), folder=tmp_path)
    assert failed.permanent


def test_the_push_key_is_made_once_and_is_nobody_elses(tmp_path: Path) -> None:
    first = as_application_server_key(push_key(tmp_path))
    assert as_application_server_key(push_key(tmp_path)) == first
    assert (tmp_path / "push-key.pem").stat().st_mode & 0o077 == 0
    assert [path.name for path in tmp_path.iterdir()] == ["push-key.pem"]


def test_words_and_link_fit_every_medium_in_every_language_and_the_link_is_never_cut() -> None:
    link = "https://ris.hospital.test/fhir/Task/k-00000000-0000-7000-8000-000000000000"
    for medium in media().values():
        for language in languages():
            for kind in ("message", "retraction"):
                text = short_text(kind, medium.code, language, link)
                assert text.endswith(link)
                assert not medium.limit or len(text) <= medium.limit, (medium.code, language, kind)


@respx.mock
async def test_a_provider_that_asks_for_a_pause_is_heard() -> None:
    respx.post("https://ward.test/ring").respond(429, headers={"Retry-After": "17"})
    async with httpx.AsyncClient() as client:
        with pytest.raises(DeliveryFailed) as caught:
            await CHANNELS["webhook"].deliver(
                a_message(), Line("https://ward.test/ring"), Outside(client, STRICT, 1.0, Path())
            )
    assert (caught.value.permanent, caught.value.after_seconds) == (False, 17)
