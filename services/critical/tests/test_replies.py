"""Answers by text message and keypad: the message by its code, the person by his PIN, the read-back in two turns."""

from __future__ import annotations

from typing import Any

import pytest
from slipring.fhir.caller import itself
from slipring.fhir.service import Resource
from slipring.runtime.settings import BadSettings
from slipring_critical.cases.dialogue import CONVERSATION, asked_by
from slipring_critical.ringing.reply_codes import code_in, code_of_number
from slipring_critical.settings import CriticalSettings

from tests.support.one_case import OTHER, events, flag, signed_in
from tests.support.ringing import FINDING, ARinging, a_department, refused

pytestmark = pytest.mark.clause("5.9.1")
FRONT = itself("slipring-front")


def value_in(parameter: Resource) -> str:
    return str(next(value for name, value in parameter.items() if name.startswith("value")))


class APhone:
    """Somebody who types replies; the front has looked at his PIN where `by` names him."""

    def __init__(self, ringing: ARinging, number: str = "+8613900000001") -> None:
        self.ringing, self.number, self.count, self.asks = ringing, number, 0, ""

    async def says(self, said: str = "", by: str = "", **given: Any) -> str:
        self.count += 1
        given = {"message": f"{self.number}-{self.count}", "medium": "webhook", "said": said} | given
        caller = signed_in(by) if by else FRONT
        answer = await self.ringing.call("reply", caller, conversation=self.number, **given)
        told = {one["name"]: value_in(one) for one in answer["parameter"]}
        self.asks = told["expects"]
        return told["say"]


async def ringing_with_codes(language: str = "en", **flagged: Any) -> ARinging:
    settings = CriticalSettings(reply_media=frozenset({"webhook"}), message_language=language)
    ringing = ARinging(*a_department(), settings=settings)
    await flag(ringing, **flagged)
    return ringing


def code_of(ringing: ARinging, number: int = 0) -> str:
    return str(ringing.receivers.heard[number].body["reply"])


def place_of(words: str, finding: str) -> str:
    """The number under which a finding is offered."""
    listed = words.partition(": ")[2].split("; ")
    return next(one.split()[0] for one in listed if finding in one)


def talk(ringing: ARinging) -> list[Resource]:
    every = [one.resource for one in ringing.desk.held.values() if one.resource["resourceType"] == "Communication"]
    return [one for one in every if any(i["system"] == CONVERSATION for i in one.get("identifier", []))]


async def test_a_receiver_answers_turn_by_turn_and_every_message_is_on_record() -> None:
    ringing = await ringing_with_codes()
    phone = APhone(ringing)

    assert "PIN" in await phone.says(code=code_of(ringing))
    assert "last four" in await phone.says(by="requester", code=code_of(ringing))
    assert (ringing.state, events(ringing.case)[-1]) == ("delivered", "shown"), "identified is not confirmed"
    offered = await phone.says("0123", by="requester")
    assert offered.count(";") == 4
    confirmed = await phone.says(place_of(offered, "neumothorax"), by="requester")

    assert confirmed.startswith("Confirmed")
    assert (ringing.state, phone.asks) == ("read-back-confirmed", "nothing")
    assert ringing.case["owner"]["reference"] == "Practitioner/o-requester"
    await ringing.wait(10)
    assert len(ringing.rung) == 2, "nobody else is rung"
    messages = talk(ringing)
    assert [("received" in one, "sent" in one) for one in messages] == [(True, False), (False, True)] * 4
    assert all(one["basedOn"] == [{"reference": f"Task/{ringing.case['id']}"}] for one in messages)
    timeline = await ringing.call("timeline")
    whats = [event["part"][0]["valueCode"] for event in timeline["parameter"][1:]]
    assert (whats.count("reply-heard"), whats.count("reply-said")) == (4, 4)


@pytest.mark.parametrize("language", ["zh", "en"])
async def test_nothing_that_is_said_names_the_patient_or_his_number(language: str) -> None:
    ringing = await ringing_with_codes(language)
    phone = APhone(ringing)
    words = [await phone.says(code=code_of(ringing)), await phone.says(by="requester", code=code_of(ringing))]
    words += [await phone.says("0123", by="requester"), await phone.says("1", by="requester")]
    for said in words:
        assert not any(secret in said for secret in ("0123", "CT2026", "o-p", "Patient"))


async def test_every_message_has_a_code_of_its_own_and_none_where_replies_are_not_given_back() -> None:
    ringing = await ringing_with_codes()
    await ringing.wait(3)
    codes = [str(heard.body["reply"]) for heard in ringing.receivers.heard]
    assert len(set(codes)) == 5
    assert len({code_of_number(number, 5) for number in range(100_000)}) == 100_000

    silent = ARinging(*a_department())
    await flag(silent)
    assert "reply" not in silent.receivers.heard[0].body
    assert not any(code_in(one.resource) for one in silent.desk.held.values())


async def test_wrong_pins_are_counted_down_and_the_last_one_rings_the_next_step_at_once() -> None:
    ringing = await ringing_with_codes()
    phone, code = APhone(ringing), code_of(ringing)
    assert "4 tries" in await phone.says(code=code, left=4)
    assert len(ringing.rung) == 2

    assert "used up" in await phone.says(code=code, left=0)
    await ringing.settle()

    assert len(ringing.rung) == 5
    assert events(ringing.case).count("link-ended") == 1
    assert "used up" in await phone.says(by="requester", code=code)
    assert "last four" in await phone.says(by="duty", code=code_of(ringing, 4))


async def test_a_mismatch_rings_on_and_the_second_rings_the_next_and_asks_for_a_call() -> None:
    ringing = await ringing_with_codes()
    phone = APhone(ringing)
    await phone.says(by="requester", code=code_of(ringing))
    for asked in ("once more", "telephone"):
        offered = await phone.says("9999", by="requester")
        assert asked in await phone.says(place_of(offered, "neumothorax"), by="requester")
    assert (ringing.state, phone.asks) == ("escalated", "tail")
    assert events(ringing.case).count("read-back-mismatch") == 2
    await ringing.settle()
    assert len(ringing.rung) == 5


async def test_whoever_may_not_receive_is_kept_as_reached_and_it_rings_on() -> None:
    ringing = await ringing_with_codes()
    assert "may not receive" in await APhone(ringing).says(by="porter", code=code_of(ringing))
    assert (events(ringing.case)[-1], ringing.state) == ("reached-not-authorised", "notifying")


async def test_a_second_finding_of_the_exam_is_read_back_in_the_same_conversation() -> None:
    ringing = await ringing_with_codes()
    await flag(ringing, "2", OTHER)
    phone = APhone(ringing)
    await phone.says(by="requester", code=code_of(ringing))
    offered = await phone.says("0123", by="requester")
    another = await phone.says(place_of(offered, "neumothorax"), by="requester")
    assert "another" in another
    await phone.says(place_of(another, "ulmonary embolism"), by="requester")
    states = {one["businessStatus"]["coding"][0]["code"] for one in ringing.cases}
    assert states == {"read-back-confirmed"}


async def test_a_message_is_taken_once_and_a_conversation_is_over_after_a_silence() -> None:
    ringing = await ringing_with_codes()
    phone = APhone(ringing)
    await phone.says(by="requester", code=code_of(ringing), message="m-1")
    error = await refused(phone.says("0123", by="requester", message="m-1"))
    assert (error.status, error.issues[0].detail) == (409, "critical.reply-repeated")
    other = await refused(phone.says("0123", by="duty"))
    assert (other.status, other.issues[0].detail) == (403, "critical.reply-of-another")

    await ringing.wait(11)
    assert "code does not fit" in await phone.says("0123", by="requester")
    assert ringing.state != "read-back-confirmed"


async def test_a_telephone_that_answers_every_day_is_still_understood() -> None:
    ringing = await ringing_with_codes()
    office = APhone(ringing)
    for _ in range(9):
        await office.says(code=code_of(ringing))
        await ringing.wait(11)
    ringing.desk.limit_searches(of="Communication", to=16)  # all that was ever said by it is more
    assert "last four" in await office.says(by="requester", code=code_of(ringing))
    assert "number of the finding" in await office.says("0123", by="requester")


async def test_a_message_that_was_taken_is_refused_before_its_pin_is_looked_at() -> None:
    ringing = await ringing_with_codes()
    phone = APhone(ringing)
    await phone.says(code=code_of(ringing), left=4, message="m-1")
    asked = ringing.call("conversation", FRONT, conversation=phone.number, code=code_of(ringing), message="m-1")
    error = await refused(asked)
    assert (error.status, error.issues[0].detail) == (409, "critical.reply-repeated")


@pytest.mark.parametrize("code", ["", "00000", "x", "9" * 300, "１２３４５", "12|45", "a,b"])
async def test_a_code_that_is_none_is_said_to_be_none(code: str) -> None:
    ringing = await ringing_with_codes()
    assert "code does not fit" in await APhone(ringing).says(code=code)


@pytest.mark.parametrize("said", ["", "6", "0", "x", "12", "１", FINDING, "气胸"])
async def test_a_choice_that_is_none_is_asked_for_again(said: str) -> None:
    ringing = await ringing_with_codes()
    phone = APhone(ringing)
    await phone.says(by="requester", code=code_of(ringing))
    await phone.says("0123", by="requester")
    assert "number of the finding" in await phone.says(said, by="requester")
    assert phone.asks == "choice" and "read-back-mismatch" not in events(ringing.case)


async def test_a_case_that_somebody_answered_already_says_so() -> None:
    ringing = await ringing_with_codes()
    receiver = {"reference": "Practitioner/o-duty"}
    await ringing.call("acknowledge", receiver=receiver, patientCheck="0123", finding=FINDING, medium="in-person")
    assert "confirmed already" in await APhone(ringing).says(by="requester", code=code_of(ringing))


async def test_what_a_conversation_waits_for_is_told_without_a_trace() -> None:
    ringing = await ringing_with_codes()
    phone = APhone(ringing)
    first = await ringing.call("conversation", FRONT, conversation=phone.number, code=code_of(ringing))
    told = {one["name"]: one for one in first["parameter"]}
    assert told["expects"]["valueCode"] == "pin"
    assert told["owner"]["valueReference"]["reference"] == "Practitioner/o-requester"
    await phone.says(by="requester", code=code_of(ringing))
    later = await ringing.call("conversation", FRONT, conversation=phone.number)
    assert {one["name"]: value_in(one) for one in later["parameter"]}["expects"] == "tail"
    assert len(talk(ringing)) == 2
    assert [asked.expects for one in talk(ringing) if (asked := asked_by(one))] == ["tail"]


def test_media_that_nobody_takes_replies_for_stop_the_start() -> None:
    for given in ({"SLIPRING_REPLY_MEDIA": "sms"}, {"SLIPRING_REPLY_MEDIA": "page", "SLIPRING_REPLY_SECRET_FILE": "x"}):
        with pytest.raises(BadSettings):
            CriticalSettings.from_env(given)
    both = {"SLIPRING_REPLY_MEDIA": "sms, voice", "SLIPRING_REPLY_SECRET_FILE": "x"}
    assert CriticalSettings.from_env(both).reply_media == {"sms", "voice"}
