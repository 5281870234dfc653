"""A conversation by text message or keypad: each message in and out is a Communication, and the last one out says what it asks."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from slipring.fhir.service import CANONICAL, Resource

from slipring_critical.cases.facts import CHANNEL
from slipring_critical.cases.marks import drill_meta, is_drill
from slipring_critical.cases.resources import coded, instant

CONVERSATION = f"{CANONICAL}/identifier/conversation"
GATEWAY_MESSAGE = f"{CANONICAL}/identifier/gateway-message"
REPLY_ASKS = f"{CANONICAL}/StructureDefinition/reply-asks"


@dataclass(frozen=True, slots=True)
class Asked:
    """What a conversation waits for, and what was said in it so far."""

    expects: str  # code | pin | tail | choice | nothing
    attempt: str = ""  # Communication/..., the message that is answered
    case: str = ""  # Task/..., the finding that is read back now
    who: str = ""  # Practitioner/... once he has identified himself
    tail: str = ""  # what he read back of the number
    turn: int = 0


@dataclass(frozen=True, slots=True)
class Talk:
    """One message that came in, and around what."""

    conversation: str  # the digest of who talks: his number stays out of the record
    message: str  # the gateway's id of it
    medium: str
    said: str  # as it may be kept: without a PIN
    who: str = ""
    attempt: str = ""
    case: Resource | None = None

    @property
    def _common(self) -> Resource:
        case = self.case or {}
        return {
            "resourceType": "Communication",
            **drill_meta(is_drill(case)),
            "basedOn": [{"reference": f"Task/{case['id']}"}] if case else None,
            "status": "completed",
            "priority": case.get("priority"),
            "medium": [coded(CHANNEL, self.medium)],
            "subject": case.get("for"),
        }

    def heard(self, id: str, *, now: datetime) -> Resource:
        """The message that came in."""
        return _without_empty(
            {
                **self._common,
                "id": id,
                "identifier": [
                    {"system": GATEWAY_MESSAGE, "value": digest(self.message)},
                    {"system": CONVERSATION, "value": self.conversation},
                ],
                "inResponseTo": [{"reference": self.attempt}] if self.attempt else None,
                "received": instant(now),
                "sender": {"reference": self.who} if self.who else None,
                "payload": [{"contentString": self.said}] if self.said else None,
            }
        )

    def answer(self, id: str, heard: str, words: str, asked: Asked, *, now: datetime) -> Resource:
        """What is said back, with what it asks for."""
        return _without_empty(
            {
                **self._common,
                "id": id,
                "extension": [_asks(asked)],
                "identifier": [{"system": CONVERSATION, "value": self.conversation}],
                "inResponseTo": [{"reference": f"Communication/{heard}"}],
                "sent": instant(now),
                "recipient": [{"reference": self.who}] if self.who else None,
                "payload": [{"contentString": words}],
            }
        )


def digest(text: str) -> str:
    """How a number or an id of the gateway is kept and found."""
    return hashlib.sha256(text.encode()).hexdigest()


def is_of_a_conversation(communication: Resource) -> bool:
    """Whether a Communication is a message of a conversation, in or out."""
    return any(one.get("system") == CONVERSATION for one in communication.get("identifier", []))


def asked_by(message: Resource) -> Asked | None:
    """What a message of ours asked for; None of any other Communication."""
    for extension in message.get("extension", []):
        if extension["url"] == REPLY_ASKS:
            said = {part["url"]: next(v for k, v in part.items() if k != "url") for part in extension["extension"]}
            references = {name: str(said.get(name, {}).get("reference", "")) for name in ("attempt", "case", "who")}
            return Asked(str(said["expects"]), tail=str(said.get("tail", "")), turn=int(said["turn"]), **references)
    return None


def next_turn(asked: Asked, **changed: Any) -> Asked:
    """What is asked next in the same conversation."""
    return replace(asked, turn=asked.turn + 1, **changed)


def _asks(asked: Asked) -> dict[str, Any]:
    parts: list[dict[str, Any]] = [
        {"url": "expects", "valueCode": asked.expects},
        {"url": "turn", "valuePositiveInt": asked.turn},
    ]
    for name in ("attempt", "case", "who"):
        if getattr(asked, name):
            parts.append({"url": name, "valueReference": {"reference": getattr(asked, name)}})
    if asked.tail:
        parts.append({"url": "tail", "valueString": asked.tail})
    return {"url": REPLY_ASKS, "extension": parts}


def _without_empty(tree: Resource) -> Resource:
    return {name: value for name, value in tree.items() if value}
