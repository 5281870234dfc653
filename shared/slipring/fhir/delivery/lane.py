"""An outside Subscription (R4 rest-hook) as a delivery lane."""

from __future__ import annotations

import ipaddress
from dataclasses import replace
from urllib.parse import parse_qsl, urlsplit

from slipring.fhir.intent import written_instant
from slipring.fhir.outcome import FhirError, unprocessable
from slipring.fhir.search.criteria import CONTROLS, parse
from slipring.fhir.search.include import INCLUDES
from slipring.fhir.service import Changes, Desk, Resource, Write
from slipring.fhir.store.batch import Lane
from slipring.fhir.store.reading import Reader, Row
from slipring.fhir.text import splice

_FORBIDDEN_HOSTS = ("metadata", "metadata.google.internal")


def lane_of(tree: Resource, *, deleted: bool) -> Lane:
    """What the deliverer needs to know of a Subscription."""
    channel = tree.get("channel", {})
    status = "off" if deleted or tree.get("status") == "off" else "active"
    return Lane(
        tree["id"],
        tree.get("criteria", ""),
        channel.get("endpoint", ""),
        channel.get("payload", ""),
        channel.get("header", []),
        status,
    )


def subscribed(kept: frozenset[str]) -> object:
    """The write handler of Subscription for a service that keeps these types."""

    async def subscription_written(write: Write, desk: Desk) -> Changes:
        """Only a subscription that can be honoured is accepted; it is active at once."""
        if write.method == "delete":
            return Changes.none()
        channel = write.resource["channel"]
        if channel.get("type") != "rest-hook":
            raise unprocessable(
                "Only rest-hook is offered.",
                "只提供 rest-hook 通道。",
                at="Subscription.channel.type",
                detail="kernel.channel-not-offered",
            )
        payload = channel.get("payload", "")
        if payload not in ("", "application/fhir+json", "application/json"):
            raise unprocessable(
                "The payload is application/fhir+json or absent.",
                "payload 只能是 application/fhir+json 或不填。",
                at="Subscription.channel.payload",
                detail="kernel.channel-payload",
            )
        _check_criteria(write.resource.get("criteria", ""), kept)
        _check_endpoint(channel.get("endpoint", ""))
        if any("\n" in header or "\r" in header or ":" not in header for header in channel.get("header", [])):
            raise unprocessable(
                "A header is `Name: value`.",
                "header 的格式为“名称: 值”。",
                at="Subscription.channel.header",
                detail="kernel.channel-header",
            )
        if write.resource.get("status") == "requested":
            return Changes(members={"status": "active"})
        return Changes.none()

    return subscription_written


def _check_criteria(criteria: str, kept: frozenset[str]) -> None:
    resource_type, _, text = criteria.partition("?")
    if resource_type not in kept:
        raise unprocessable(
            f"No events exist here for {resource_type[:64]}.",
            f"此处没有 {resource_type[:64]} 的事件。",
            at="Subscription.criteria",
            detail="kernel.no-such-events",
        )
    try:
        asked = parse(resource_type, parse_qsl(text, keep_blank_values=True))
    except FhirError as error:
        raise FhirError(422, [replace(issue, at="Subscription.criteria") for issue in error.issues]) from error
    if any(name in CONTROLS or name in INCLUDES for name, _ in asked.pairs):
        raise unprocessable(
            "Criteria say which resources are meant, not how an answer looks: no _sort, _count, _include and the like.",
            "criteria 只说明哪些资源，不能含 _sort、_count、_include 等结果参数。",
            at="Subscription.criteria",
            detail="kernel.criteria-with-controls",
        )


def _check_endpoint(endpoint: str) -> None:
    """Link-local and metadata addresses are refused; loopback is decided when sending (demo only)."""
    parts = urlsplit(endpoint)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username:
        raise unprocessable(
            "The endpoint is an http(s) address.",
            "endpoint 须为 http(s) 地址。",
            at="Subscription.channel.endpoint",
            detail="kernel.endpoint-address",
        )
    try:
        address = ipaddress.ip_address(parts.hostname)
    except ValueError:
        forbidden = parts.hostname.lower() in _FORBIDDEN_HOSTS
    else:
        forbidden = address.is_link_local or address.is_multicast or address.is_unspecified
    if forbidden:
        raise unprocessable(
            "This address may not be notified.",
            "该地址不允许作为通知端点。",
            at="Subscription.channel.endpoint",
            detail="kernel.endpoint-forbidden",
        )


async def with_lane(reader: Reader, row: Row) -> str:
    """The text of a Subscription that says how its delivery fares now; the stored version stays as it is."""
    lane = await reader.fetchrow("SELECT status, error FROM subscription WHERE id = $1", row.id)
    if lane is None or lane["status"] != "error":
        return row.text
    members = {"status": "error", "error": lane["error"]}
    at = written_instant(row.updated_at)
    return splice(row.text, id=row.id, version=str(row.version), last_updated=at, members=members)
