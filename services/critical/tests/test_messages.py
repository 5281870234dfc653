"""What goes out by every channel holds nothing about the patient: of any kind, in any language, in earnest and in a drill."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from slipring.fhir.outcome import FhirError
from slipring.fhir.service import Errand, Resource, Stored
from slipring_critical.cases.marks import drill_meta
from slipring_critical.channels import CHANNELS
from slipring_critical.channels.channel import Message
from slipring_critical.channels.media import languages, media
from slipring_critical.directory.routes import Route
from slipring_critical.ringing.attempts import as_attempt, as_offer, as_retraction, as_settled
from slipring_critical.ringing.reply_codes import with_code
from slipring_critical.ringing.sending import _message
from slipring_critical.settings import CriticalSettings

from tests.support.one_case import flag, signed_in
from tests.support.ringing import IMAGING_NUMBER, ARinging, a_department

pytestmark = pytest.mark.clause("5.9.1")
_CHANNEL_FILES = Path(__file__).parents[1] / "slipring_critical" / "channels"
# Whatever is known of the patient and of what was found, in every spelling that the case holds it.
_SECRETS = ("虚构", "Xuan", "MR-77001", "1961-02-03", IMAGING_NUMBER, IMAGING_NUMBER[-4:], "o-p", "o-ct", "o-stay")
_FOUND = ("CV-CT-07", "气胸", "neumothorax", "左侧大量", "J93")


def a_patient() -> Resource:
    return {
        "resourceType": "Patient",
        "id": "o-p",
        "name": [{"text": "宣虚构"}, {"family": "Xuan"}],
        "birthDate": "1961-02-03",
        "identifier": [{"type": {"coding": [{"code": "MR"}]}, "value": "MR-77001"}],
    }


async def a_case(language: str) -> ARinging:
    settings = CriticalSettings(message_language=language, reply_media=frozenset(CHANNELS))
    ringing = ARinging(*a_department(), a_patient(), settings=settings)
    await flag(ringing, note=[{"text": "左侧大量"}])
    await ringing.call("retract", signed_in("author"), reason="宣虚构 左侧大量")
    return ringing


@pytest.mark.parametrize("medium", CHANNELS)
@pytest.mark.parametrize("language", languages())
async def test_no_message_of_a_channel_says_whom_it_is_about_or_what_was_found(medium: str, language: str) -> None:
    ringing = await a_case(language)
    ring = as_attempt("k-attempt", ringing.case, Route("requester", medium, "Endpoint/k-r", "Practitioner/o-requester"))
    offer = as_offer("k-offer", ringing.case, Route("named", medium, "Endpoint/k-r", "Practitioner/o-duty"))
    case = ringing.desk.held[f"Task/{ringing.case['id']}"]
    for kind in (ring, as_retraction(ring, id="k-taken-back"), as_settled(ring, id="k-answered"), offer):
        for drill in (False, True):
            attempt = Stored(with_code(kind | drill_meta(drill), "61803"), 1, ringing.desk.now)
            errand = Errand("send", attempt.reference, "send", "attempt-1", False, 1, {"link": "A" * 22})
            message = await _message(errand, attempt, case, medium, ringing.desk)
            written = " ".join(str(getattr(message, one.name)) for one in fields(Message))
            assert not [one for one in (*_SECRETS, *_FOUND) if one in written], written
            assert message.link in message.short, "never cut"
            limit = media()[medium].limit
            assert drill or not limit or len(message.short) <= limit, "in one message"
            assert ("演练" in message.short or "DRILL" in message.short) == drill


def test_a_channel_is_given_its_message_and_nothing_else() -> None:
    """No file of a channel can look anything up: what it may say is what stands in its Message."""
    files = sorted(_CHANNEL_FILES.glob("*.py"))
    assert len(files) > 10
    for file in files:
        text = file.read_text("utf-8")
        assert not re.search(r"\bDesk\b|\.read\(\"|\.search\(|slipring_critical\.(cases|directory|ringing)", text), (
            file.name
        )


async def test_a_preview_of_every_channel_tells_each_kind_in_each_language() -> None:
    answer = await ARinging().call("preview")
    told: dict[str, list[dict[str, Any]]] = {}
    for one in answer["parameter"]:
        told[one["part"][0]["valueCode"]] = [part for part in one["part"] if part["name"] == "message"]
    assert set(told) == set(CHANNELS)
    for channel, texts in told.items():
        kinds = [(one["part"][0]["valueCode"], one["part"][1]["valueCode"]) for one in texts]
        assert len(kinds) == len(set(kinds)) == (5 if media()[channel].device else 4) * len(languages())
        assert all(one["part"][3]["valueInteger"] == len(one["part"][2]["valueString"]) for one in texts)
    english = await ARinging().call("preview", language="en")
    spoken = [part["part"][1]["valueCode"] for one in english["parameter"] for part in one["part"] if "part" in part]
    assert spoken == ["en"] * (4 * len(CHANNELS) + sum(one.device for one in media().values()))
    for odd in ({"medium": ""}, {"language": "la"}, {"medium": "sms", "language": "la"}):
        with pytest.raises(FhirError):
            await ARinging().call("preview", **odd)
