"""A receiver answers by text message or keypad: who he is (the front has looked at his PIN), then the read-back in two turns.

It is asked turn by turn as the page does: the last four characters of the number, then the finding out of five. Whatever
does not fit is on record and said, and the ringing goes on. Every message in and out is a Communication.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import quote

from slipring.fhir.outcome import conflict, forbidden, unprocessable
from slipring.fhir.service import Ahead, Call, Changes, Desk, Resource, Save, Stored

from slipring_critical.answering.answers import RECEIVE, acknowledged
from slipring_critical.answering.links import ending, showing
from slipring_critical.cases.dialogue import (
    CONVERSATION,
    GATEWAY_MESSAGE,
    Asked,
    Talk,
    asked_by,
    digest,
    next_turn,
)
from slipring_critical.cases.facts import Event, case_facts, first_reference, reference_of
from slipring_critical.cases.marks import is_drill
from slipring_critical.cases.resources import instant, with_event
from slipring_critical.channels.media import drill_mark
from slipring_critical.channels.replies import the_replies
from slipring_critical.directory.people import lacking
from slipring_critical.directory.policy import findings_in_force
from slipring_critical.lifecycle import STILL_RINGS
from slipring_critical.ringing.links import is_used
from slipring_critical.ringing.one_call import others_of_the_exam
from slipring_critical.ringing.reply_codes import REPLY_CODE
from slipring_critical.rules.choices import choices
from slipring_critical.rules.read_back import TAIL_LENGTH


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a conversation stands; the message and the case that it is about, where they are known."""

    asked: Asked
    last: str = ""  # Communication/..., our words before, '' where nothing was said lately
    attempt: Stored | None = None
    case: Stored | None = None

    @property
    def refused(self) -> str:
        """Why nothing can be answered, as a key of the words; '' when it can."""
        if self.attempt is None or self.case is None:
            return "unknown"
        if case_facts(self.case.resource).state not in STILL_RINGS:
            return "answered"
        return "used" if self.asked.expects == "pin" and is_used(self.attempt.resource) else ""

    @property
    def owner(self) -> str:
        """Whose route the message went to, where that is one person."""
        recipients = self.attempt.resource.get("recipient", []) if self.attempt else []
        return next((who for who in map(reference_of, recipients) if who.startswith("Practitioner")), "")


@dataclass(frozen=True, slots=True)
class Turn:
    """What one message leads to: words to say, what they ask for, and what becomes of the case."""

    words: str
    asked: Asked
    changes: Changes = field(default_factory=Changes)


async def conversation(call: Call, desk: Desk) -> Changes:
    """What a conversation waits for, and whose PIN would be looked at; nothing is stored."""
    standing = await _standing(call, desk)
    asked = standing.asked
    owner = standing.owner
    if owner.startswith("PractitionerRole/"):
        role = await desk.read(owner)
        owner = reference_of(role.resource.get("practitioner")) if role else ""
    told: list[dict[str, Any]] = [{"name": "expects", "valueCode": "nothing" if standing.refused else asked.expects}]
    for name, value in (("attempt", asked.attempt), ("owner", owner), ("who", asked.who)):
        if value:
            told.append({"name": name, "valueReference": {"reference": value}})
    return Changes(answer={"resourceType": "Parameters", "parameter": told})


async def replied(call: Call, desk: Desk) -> Changes:
    """One message of a receiver, and what is said back to him. The same message is taken once."""
    message, medium = str(call.value("message")), str(call.value("medium"))
    if medium not in desk.settings.reply_media:
        known = sorted(desk.settings.reply_media)
        raise unprocessable(
            f"By this medium nothing is answered; known: {', '.join(known) or 'none'}.",
            f"该方式不能回复；可用：{'、'.join(known) or '无'}。",
            at=call.at("medium"),
            detail="critical.reply-medium",
        )
    standing = await _standing(call, desk)
    said = str(call.value("said") or "").strip()
    turn = await _turn(call, standing, said, medium, desk)
    case = standing.case.resource if standing.case else None
    talk = Talk(
        digest(str(call.value("conversation"))), message, medium, said, desk.caller.practitioner or "",
        standing.asked.attempt, case,
    )  # fmt: skip
    heard = talk.heard(desk.new_id(), now=desk.now)
    words = drill_mark(desk.settings.message_language, drill=is_drill(case or {})) + turn.words
    answer = talk.answer(desk.new_id(), heard["id"], words, turn.asked, now=desk.now)
    told: Resource = {
        "resourceType": "Parameters",
        "parameter": [{"name": "say", "valueString": words}, {"name": "expects", "valueCode": turn.asked.expects}],
    }
    # What was refused is said in words: the gateway's own request was right.
    kept = replace(turn.changes, refuse=None, answer=told, status=200)
    once = [f"reply:{digest(message)}", *([f"turn:{standing.last}"] if standing.last else [])]
    return kept.plus(Changes(save=[Save(heard), Save(answer)], keys=once))


async def _standing(call: Call, desk: Desk) -> Standing:
    """Where the conversation stands by what was said in it lately; 409 for a message that was taken already."""
    message, code = call.value("message"), str(call.value("code") or "").strip()
    # Not all that ever came from a telephone: that of an office answers every day.
    since = quote(instant(desk.now - the_replies().good))
    talk = f"Communication?identifier={CONVERSATION}%7C{digest(str(call.value('conversation')))}&sent=ge{since}"
    taken = [f"Communication?identifier={GATEWAY_MESSAGE}%7C{digest(str(message))}"] if message else []
    rung = [f"Communication?identifier={REPLY_CODE}%7C{code}"] if code.isascii() and code.isdigit() else []
    await desk.searches([talk, *taken, *rung])  # at once, to be found below
    if taken and await desk.search(*taken):
        raise conflict(
            "This message was taken already.",
            "该消息已处理过。",
            at=call.at("message"),
            detail="critical.reply-repeated",
        )
    turns = [(asked, one.reference) for one in await desk.search(talk) if (asked := asked_by(one.resource))]
    asked, last = max(turns, key=lambda one: one[0].turn, default=(Asked("code"), ""))
    nothing = Standing(Asked("code", turn=asked.turn), last)
    if code:
        # Codes are given again after all others were, so that the last one is meant.
        found = await desk.search(*rung) if rung else []
        attempt = max(found, key=lambda one: str(one.resource.get("sent", "~")), default=None)
        if attempt is None:
            return nothing
        if attempt.reference != asked.attempt or asked.expects in ("code", "nothing"):
            case = first_reference(attempt.resource.get("partOf"), "Task")
            asked = Asked("pin", attempt.reference, case, turn=asked.turn)
    if not asked.attempt or asked.expects == "nothing":
        return nothing
    await desk.foresee(Ahead([asked.attempt, asked.case]))
    return Standing(asked, last, await desk.read(asked.attempt), await desk.read(asked.case))


async def _turn(call: Call, standing: Standing, said: str, medium: str, desk: Desk) -> Turn:
    asked, who = standing.asked, desk.caller.practitioner or ""
    if standing.refused or standing.attempt is None or standing.case is None:
        return _say(standing.refused, Asked("nothing", asked.attempt, asked.case, turn=asked.turn), desk)
    if asked.expects == "pin":
        if who:
            return await _identified(standing.case, asked, who, desk)
        return await _not_identified(call, standing, standing.attempt, standing.case, desk)
    if who != asked.who:
        raise forbidden(
            "The conversation goes on with whoever has identified himself.",
            "对话须由已确认身份的人继续。",
            at="Parameters",
            detail="critical.reply-of-another",
        )
    if asked.expects == "tail":
        if len(said) != TAIL_LENGTH or not said.isalnum():
            return _say("tail-again", asked, desk)
        return await _choosing("choice", standing.case, replace(asked, tail=said), desk)
    return await _read_back(standing.case, asked, said, medium, desk)


async def _identified(case: Stored, asked: Asked, who: str, desk: Desk) -> Turn:
    if await lacking(desk, RECEIVE, who):
        tree = with_event(case.resource, Event("reached-not-authorised", desk.now, who))
        kept = Changes(save=[Save(tree, replaces=case.version)])
        return _say("not-authorised", replace(asked, expects="nothing"), desk, changes=kept)
    tree = showing(case, who, desk)
    return _say("tail", replace(asked, expects="tail", who=who), desk, changes=Changes(save=[Save(tree, case.version)]))


async def _not_identified(call: Call, standing: Standing, attempt: Stored, case: Stored, desk: Desk) -> Turn:
    """No PIN yet, or a wrong one: the front says how many more the message stands; after the last it is used up."""
    left = call.value("left")
    if left is None:
        return _say("pin" if standing.owner else "pin-office", standing.asked, desk)
    if int(left) > 0:
        return _say("pin-wrong", standing.asked, desk, left=int(left))
    ended = await ending(attempt, case, desk)
    return _say("pin-ended", replace(standing.asked, expects="nothing"), desk, changes=ended)


async def _choosing(words: str, case: Stored, asked: Asked, desk: Desk, changes: Changes | None = None) -> Turn:
    catalogue, language = await findings_in_force(desk), desk.settings.message_language
    listed = []
    for number, code in enumerate(choices(case_facts(case.resource).finding, list(catalogue), case.reference), 1):
        entry = catalogue.get(code)
        listed.append(f"{number} {getattr(entry, language) if entry else code}")
    asked = replace(asked, expects="choice", case=case.reference)
    return _say(words, asked, desk, changes=changes, choices="; ".join(listed))


async def _read_back(case: Stored, asked: Asked, said: str, medium: str, desk: Desk) -> Turn:
    facts = case_facts(case.resource)
    offered = choices(facts.finding, list(await findings_in_force(desk)), asked.case)
    if said not in [str(number) for number in range(1, len(offered) + 1)]:
        return await _choosing("choice", case, asked, desk)
    given = {"patientCheck": asked.tail, "finding": offered[int(said) - 1], "medium": medium}
    parameters = [{"name": name, "valueString": value} for name, value in given.items()]
    changes = await acknowledged(Call({"resourceType": "Parameters", "parameter": parameters}, case), desk)
    if changes.refuse is None:
        return await _confirmed(case, asked, changes, desk)
    if changes.refuse.status == 422:
        again = facts.mismatches + 1 >= desk.settings.mismatches_until_next_step
        words = "mismatch-call" if again else "mismatch"
        return _say(words, replace(asked, expects="tail", tail=""), desk, changes=changes)
    words = "not-authorised" if changes.refuse.status == 403 else "not-possible"
    return _say(words, replace(asked, expects="nothing"), desk, changes=changes)


async def _confirmed(case: Stored, asked: Asked, changes: Changes, desk: Desk) -> Turn:
    """The case is his; another finding of the same exam that still rings is read back in the same conversation."""
    for other, facts in await others_of_the_exam(case_facts(case.resource), desk):
        if facts.state in STILL_RINGS:
            return await _choosing("another", other, asked, desk, changes)
    return _say("confirmed", replace(asked, expects="nothing"), desk, changes=changes)


def _say(key: str, asked: Asked, desk: Desk, *, changes: Changes | None = None, **values: object) -> Turn:
    words = the_replies().say(key, desk.settings.message_language, **values)
    return Turn(words, next_turn(asked), changes or Changes())
