"""The webhook channel: one POST of JSON to the receiver's own system."""

from __future__ import annotations

import httpx
from slipring.fhir.delivery.endpoint_connection import EndpointRefused

from slipring_critical.channels.channel import DeliveryFailed, Message

# Answers that ask for another try later (RFC 9110, RFC 6585); every other 3xx and 4xx is a wrong address or a refusal.
_TRY_AGAIN = frozenset({408, 425, 429})


async def deliver_by_webhook(
    message: Message, address: str, client: httpx.AsyncClient, *, timeout_seconds: float
) -> None:
    """Post the message; any 2xx counts as delivered, redirects are not followed."""
    try:
        answer = await client.post(
            address,
            json=_as_json(message),
            headers={"Idempotency-Key": message.attempt_id, "Slipring-Repeat": str(message.repeat).lower()},
            follow_redirects=False,
            timeout=timeout_seconds,
        )
    except (httpx.InvalidURL, httpx.UnsupportedProtocol) as error:
        raise DeliveryFailed("bad-address", permanent=True) from error
    except EndpointRefused as error:  # trying again will not help whoever waits to be rung
        raise DeliveryFailed("forbidden-address", permanent=True) from error
    except httpx.TimeoutException as error:
        raise DeliveryFailed("timeout", permanent=False) from error
    except httpx.HTTPError as error:
        raise DeliveryFailed("unreachable", permanent=False) from error
    if not answer.is_success:
        permanent = answer.status_code < 500 and answer.status_code not in _TRY_AGAIN
        raise DeliveryFailed(f"http-{answer.status_code}", permanent=permanent)


def _as_json(message: Message) -> dict[str, object]:
    return {
        "case": message.case,
        "communication": message.communication,
        "level": message.level,
        "text": {"zh": message.text_zh, "en": message.text_en},
        "link": message.link,
        "attempt": message.attempt_id,
        "repeat": message.repeat,
        "sentAt": message.sent_at.isoformat(timespec="milliseconds"),
        **({"drill": True} if message.drill else {}),
    }
