"""The FHIR channel: the alert as a CommunicationRequest on the receiver's own FHIR server (IHE PCC mACM, ITI-84).

The receiver shows it, rings by his own means and may answer by `$acknowledge`; what becomes of it there is no answer.
"""

from __future__ import annotations

import json
from typing import Any

from slipring.fhir.service import CANONICAL

from slipring_critical.channels.channel import Channel, Line, Message, Outside
from slipring_critical.channels.posting import judged_web_address, posted, provider_of

_ATTEMPT = f"{CANONICAL}/identifier/attempt"
_CASE = f"{CANONICAL}/identifier/critical-case"
_PRIORITY = {"1": "stat", "2": "urgent"}
_MEDIA_TYPE = "application/fhir+json"


async def deliver_to_fhir_server(message: Message, line: Line, outside: Outside) -> None:
    """Create it once: a repeat finds the one that stands by its identifier (R4 conditional create)."""
    address = f"{line.address.rstrip('/')}/CommunicationRequest"
    headers = {
        **line.headers,
        "Content-Type": _MEDIA_TYPE,
        "Accept": _MEDIA_TYPE,
        "Idempotency-Key": message.attempt_id,
        "If-None-Exist": f"identifier={_ATTEMPT}|{message.attempt_id}",
    }
    body = json.dumps(as_communication_request(message), ensure_ascii=False).encode()
    await posted(address, body, headers, outside)


def as_communication_request(message: Message) -> dict[str, Any]:
    """The alert without a word about the patient: `about` and `subject` stay empty, the case is named by its link."""
    request: dict[str, Any] = {
        "resourceType": "CommunicationRequest",
        "identifier": [{"system": _ATTEMPT, "value": message.attempt_id}],
        "groupIdentifier": {"system": _CASE, "value": message.case},  # one for all attempts of the case
        "status": "active",
        "category": [{"text": "critical finding"}],
        "priority": _PRIORITY.get(message.level, "routine"),
        "payload": [
            {"contentString": message.text_zh},
            {"contentString": message.text_en},
            {"contentString": message.link},
        ],
        "occurrenceDateTime": message.sent_at.isoformat(timespec="milliseconds"),
        "authoredOn": message.sent_at.isoformat(timespec="milliseconds"),
    }
    if message.code:  # the route itself is proven: there is no case
        request["category"] = [{"text": "check of a contact route"}]
        del request["groupIdentifier"]
    if message.recipient:  # known here; the receiver's server need not know it
        request["recipient"] = [{"display": message.recipient}]
    return request


FHIR_SERVER = Channel(deliver_to_fhir_server, judged_web_address, provider_of)
