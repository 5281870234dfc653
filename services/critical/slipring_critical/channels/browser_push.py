"""Browser push: an encrypted message to the push service of a subscribed browser (RFC 8030, 8291, 8292).

The address is a PushSubscription: its endpoint, and in the fragment the browser's public key and secret
(`https://push.example/abc#p256dh=...&auth=...`). Whoever has it can write to that browser: it is kept locked.
"""

from __future__ import annotations

import binascii
import io
import json
from base64 import urlsafe_b64decode
from dataclasses import dataclass
from urllib.parse import parse_qs, urldefrag

from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from slipring.fhir.delivery.endpoint_policy import EndpointPolicy
from slipring.fhir.outcome import Issue

from slipring_critical.channels.channel import Channel, DeliveryFailed, Line, Message, Outside
from slipring_critical.channels.posting import judged_web_address, posted, provider_of
from slipring_critical.channels.push_key import push_key

_AUTH_BYTES = 16
_KEPT_SECONDS = 600  # how long the push service keeps trying a browser that is away; the ladder goes on meanwhile
_URGENCY = {"1": "high", "2": "normal"}


@dataclass(frozen=True, slots=True)
class Subscription:
    """One browser: where its push service takes messages, and what they are encrypted for."""

    endpoint: str
    p256dh: str
    auth: str


async def deliver_by_push(message: Message, line: Line, outside: Outside) -> None:
    """Encrypt and post; 404 and 410 say that the browser has unsubscribed."""
    subscription = subscription_of(line.address)
    if subscription is None:
        raise DeliveryFailed("bad-address", permanent=True)
    content = {"kind": message.kind, "text": message.short, "link": message.link, "level": message.level}
    content["check" if message.code else "case"] = message.case
    body, headers = _encrypted(json.dumps(content, ensure_ascii=False).encode(), subscription, outside)
    # The push service replaces a message of the same topic that the browser has not fetched yet (RFC 8030 5.4).
    headers |= {"Urgency": _URGENCY.get(message.level, "low"), "Topic": message.case.rpartition("/")[2][-32:]}
    await posted(subscription.endpoint, body, headers, outside)


def _encrypted(text: bytes, subscription: Subscription, outside: Outside) -> tuple[bytes, dict[str, str]]:
    from webpush import WebPush  # only who pushes pays for loading it
    from webpush.types import WebPushSubscription

    key = push_key(outside.data_dir)
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    pusher = WebPush(io.BytesIO(private), io.BytesIO(public), outside.contact, ttl=_KEPT_SECONDS)
    keys = {"auth": subscription.auth, "p256dh": subscription.p256dh}
    browser = WebPushSubscription.model_validate({"endpoint": subscription.endpoint, "keys": keys})
    made = pusher.get(text, browser)
    headers = {name: str(value) for name, value in made.headers.items()}
    return made.encrypted, {**headers, "Content-Type": "application/octet-stream"}


def subscription_of(address: str) -> Subscription | None:
    """The parts of an address; None when it is none, or when nothing could be encrypted for it."""
    endpoint, fragment = urldefrag(address)
    given = parse_qs(fragment)
    p256dh, auth = given.get("p256dh", [""])[0], given.get("auth", [""])[0]
    try:
        EllipticCurvePublicKey.from_encoded_point(SECP256R1(), _decoded(p256dh))
        sound = len(_decoded(auth)) == _AUTH_BYTES
    except (ValueError, binascii.Error):
        return None
    return Subscription(endpoint, p256dh, auth) if sound and endpoint else None


def judged_subscription(address: str, policy: EndpointPolicy) -> Issue | None:
    """What is wrong with an address as it is saved."""
    subscription = subscription_of(address)
    if subscription is not None:
        return judged_web_address(subscription.endpoint, policy)
    return Issue(
        "business-rule",
        zh="浏览器推送的地址为订阅的 endpoint，后接 #p256dh=…&auth=…（均为 base64url）。",
        en="The address of a browser is the endpoint of its subscription followed by #p256dh=...&auth=... (base64url).",
        at="Endpoint.address",
        detail="critical.push-address",
    )


def _decoded(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


BROWSER_PUSH = Channel(deliver_by_push, judged_subscription, provider_of, secret=True)
