"""The means of telling: what a message looks like on a medium, the key browsers subscribe with, the secret of a route."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from slipring.fhir.outcome import invalid, unprocessable
from slipring.fhir.service import Call, Changes, Desk, Operation, Parameter, successor

from slipring_critical.cases.facts import CHANNEL
from slipring_critical.cases.resources import instant
from slipring_critical.channels import CHANNELS
from slipring_critical.channels.media import Kind, languages, media, short_text
from slipring_critical.channels.push_key import as_application_server_key, push_key
from slipring_critical.channels.replies import the_replies
from slipring_critical.directory.kept_secrets import kept_of, members_of, signed_anew
from slipring_critical.ringing.links import address
from slipring_critical.ringing.reply_codes import hint

_OVERLAP_HOURS, _LONGEST_OVERLAP_HOURS = 24, 24 * 30
_KINDS: tuple[Kind, ...] = ("message", "retraction", "offer")
_ON_DEVICES: tuple[Kind, ...] = ("answered",)
_A_CODE = "0" * the_replies().code_digits
_A_SECRET = "0" * 22  # as long as that of any link


async def preview(call: Call, desk: Desk) -> Changes:
    """What a receiver reads on a medium: the words and the link as they would be sent, about no case.

    Without a medium: on each; in every language, unless one is named.
    """
    named, medium = call.value("language"), call.value("medium")
    language = str(named or desk.settings.message_language)
    if medium is not None and medium not in CHANNELS:
        raise unprocessable(
            f"Unknown medium; known: {', '.join(CHANNELS)}.",
            f"未知的方式；可用：{'、'.join(CHANNELS)}。",
            at=call.at("medium"),
            detail="critical.unknown-medium",
        )
    if language not in languages():
        raise unprocessable(
            f"Unknown language; known: {', '.join(languages())}.",
            f"未知的语言；可用：{'、'.join(languages())}。",
            at=call.at("language"),
            detail="critical.unknown-language",
        )
    told: list[dict[str, Any]] = []
    if medium is None:
        spoken = (language,) if named else languages()
        told = [_of_channel(one, spoken, desk) for one in CHANNELS]
        return Changes(answer={"resourceType": "Parameters", "parameter": told})
    for kind in _kinds(medium):
        text = _text(kind, medium, language, desk)
        told.append({"name": kind, "valueString": text})
        told.append({"name": f"{kind}Length", "valueInteger": len(text)})
    if limit := media()[medium].limit:
        told.append({"name": "limit", "valueInteger": limit})
    return Changes(answer={"resourceType": "Parameters", "parameter": told})


def _kinds(medium: str) -> tuple[Kind, ...]:
    return (*_KINDS, *_ON_DEVICES) if media()[medium].device else _KINDS


def _text(kind: Kind, medium: str, language: str, desk: Desk, *, drill: bool = False) -> str:
    link = address(desk.settings.public_url, {"link": _A_SECRET}, "")
    answered = kind == "message" and medium in desk.settings.reply_media
    how = hint(_A_CODE if answered else "", "", language)
    return short_text(kind, medium, language, link, drill=drill, hint=how)


def _of_channel(code: str, spoken: Sequence[str], desk: Desk) -> dict[str, Any]:
    medium = media()[code]
    parts: list[dict[str, Any]] = [
        {"name": "code", "valueCode": code},
        {"name": "zh", "valueString": medium.zh},
        {"name": "en", "valueString": medium.en},
        *([{"name": "limit", "valueInteger": medium.limit}] if medium.limit else []),
    ]
    for language in spoken:
        for kind, drill in (*((kind, False) for kind in _kinds(code)), ("message", True)):
            text = _text(kind, code, language, desk, drill=drill)
            said: list[dict[str, Any]] = [
                {"name": "kind", "valueCode": "drill" if drill else kind},
                {"name": "language", "valueCode": language},
                {"name": "text", "valueString": text},
                {"name": "length", "valueInteger": len(text)},
            ]
            parts.append({"name": "message", "part": said})
    return {"name": "channel", "part": parts}


async def application_server_key(call: Call, desk: Desk) -> Changes:
    """The public key that a browser subscribes with."""
    key = as_application_server_key(push_key(desk.settings.data_dir))
    return Changes(answer={"resourceType": "Parameters", "parameter": [{"name": "key", "valueString": key}]})


async def secret_rotated(call: Call, desk: Desk) -> Changes:
    """A new secret that the messages of a route are signed with; told once. The one before signs beside it for some hours."""
    route = call.target
    connection = route.resource.get("connectionType", {}) if route else {}
    if route is None or (connection.get("system"), connection.get("code")) != (CHANNEL, "webhook"):
        raise unprocessable(
            "Only messages by webhook are signed.",
            "仅 webhook 通道的消息带签名。",
            at="Endpoint.connectionType",
            detail="critical.route-not-signed",
        )
    hours = call.value("overlapHours")
    hours = _OVERLAP_HOURS if hours is None else int(hours)
    if not 0 <= hours <= _LONGEST_OVERLAP_HOURS:
        raise invalid(
            f"overlapHours is 0 to {_LONGEST_OVERLAP_HOURS}.",
            f"overlapHours 须为 0 至 {_LONGEST_OVERLAP_HOURS}。",
            at=call.at("overlapHours"),
            detail="critical.overlap-hours",
        )
    made, until = secrets.token_urlsafe(32), desk.now + timedelta(hours=hours)
    standing = kept_of(route.resource, desk.vault)
    members = members_of(route.resource, signed_anew(standing, made, until), desk.vault)
    told = [{"name": "secret", "valueString": made}]
    if standing.secrets:
        told.append({"name": "previousUntil", "valueInstant": instant(until)})
    return Changes(save=[successor(route, **members)], answer={"resourceType": "Parameters", "parameter": told})


_TEXT = (
    Parameter("kind", "code", "out", 1, documentation="message | retraction | offer | answered | drill"),
    Parameter("language", "code", "out", 1),
    Parameter("text", "string", "out", 1),
    Parameter("length", "integer", "out", 1),
)
_CHANNEL = (
    Parameter("code", "code", "out", 1),
    Parameter("zh", "string", "out", 1),
    Parameter("en", "string", "out", 1),
    Parameter("limit", "integer", "out"),
    Parameter("message", "", "out", 1, "*", "", _TEXT),
)
_PREVIEW = (
    Parameter("medium", "code", documentation="The channel: webhook, sms, wecom, ...; every one when left out."),
    Parameter("language", "code", documentation="zh or en; the service's own when left out."),
    Parameter("message", "string", "out", documentation="What is sent when a case rings."),
    Parameter("messageLength", "integer", "out", documentation="Its characters, the link included."),
    Parameter("retraction", "string", "out", documentation="What is sent when a finding is retracted."),
    Parameter("retractionLength", "integer", "out"),
    Parameter("offer", "string", "out", documentation="What is sent when somebody is asked to take a case over."),
    Parameter("offerLength", "integer", "out"),
    Parameter("answered", "string", "out", documentation="What a device that rang is told when somebody has answered."),
    Parameter("answeredLength", "integer", "out"),
    Parameter("limit", "integer", "out", documentation="The characters that the medium carries in one message."),
    Parameter("channel", "", "out", 0, "*", "Of every medium, when none was named.", _CHANNEL),
)
_SECRET = (
    Parameter("overlapHours", "integer", documentation="How long the secret before signs beside the new one; 24."),
    Parameter("secret", "string", "out", 1, documentation="The secret; it is told this once."),
    Parameter("previousUntil", "instant", "out", documentation="Until when the one before signs."),
)
_KEY = (Parameter("key", "string", "out", 1, documentation="The applicationServerKey, base64url (RFC 8292)."),)

TELLING = (
    Operation("Endpoint", "preview", preview, "type", "What a message looks like", False, parameters=_PREVIEW),
    Operation("Endpoint", "push-key", application_server_key, "type", "The key for browsers", False, parameters=_KEY),
    Operation("Endpoint", "rotate-secret", secret_rotated, title="A new secret for a webhook", parameters=_SECRET),
)
