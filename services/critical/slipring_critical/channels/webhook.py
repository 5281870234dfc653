"""The webhook channel: one POST of JSON to the receiver's own system, signed by a secret that the two share."""

from __future__ import annotations

import json

from slipring.fhir.delivery.signature import HEADER as SIGNATURE
from slipring.fhir.delivery.signature import signed

from slipring_critical.channels.channel import Channel, Line, Message, Outside
from slipring_critical.channels.posting import judged_web_address, posted, provider_of


async def deliver_by_webhook(message: Message, line: Line, outside: Outside) -> None:
    """Post the message; the MAC covers the time it was sent and the body's bytes, as on notifications."""
    body = json.dumps(_as_json(message), ensure_ascii=False, separators=(",", ":")).encode()
    headers = {
        **line.headers,
        "Content-Type": "application/json",
        "Idempotency-Key": message.attempt_id,
        "Slipring-Repeat": str(message.repeat).lower(),
    }
    if signature := signed(line.secrets, body, message.sent_at):
        headers[SIGNATURE] = signature
    await posted(line.address, body, headers, outside)


def _as_json(message: Message) -> dict[str, object]:
    about: dict[str, object] = {"case": message.case, "communication": message.communication, "level": message.level}
    if message.code:  # no case: the route itself is proven
        about = {"check": message.case, "code": message.code}
    return {
        **about,
        "text": {"zh": message.text_zh, "en": message.text_en},
        "link": message.link,
        "attempt": message.attempt_id,
        "repeat": message.repeat,
        "sentAt": message.sent_at.isoformat(timespec="milliseconds"),
        **({"drill": True} if message.drill else {}),
        **({"reply": message.reply} if message.reply else {}),
    }


WEBHOOK = Channel(deliver_by_webhook, judged_web_address, provider_of)
