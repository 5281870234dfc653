"""Patients by the number on their card, asked of their keeper in the name of who looks."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import msgspec

from slipring.fhir.outcome import busy, forbidden
from slipring.front.peers import Ask, Peers

_MOST = 20


async def find_patients(peers: Peers, token: str, number: str) -> list[dict[str, Any]]:
    """The patients who have exactly this number in any system; the number travels in a body, never in an address."""
    escaped = "".join(f"\\{letter}" if letter in "\\,|$" else letter for letter in number)
    headers = {
        "authorization": f"Bearer {token}",
        "content-type": "application/x-www-form-urlencoded",
        "accept": "application/fhir+json",
    }
    body = urlencode({"identifier": escaped, "_count": _MOST}).encode()
    reply = await peers.ask("order", Ask("POST", "Patient/_search", headers, body))
    if reply.status == 403:
        raise forbidden("Your roles open no patients.", "您的岗位无权查看患者。", detail="front.no-patients")
    if reply.status != 200:
        raise busy("Patients cannot be searched right now.", "暂时无法查找患者。", detail="front.patients-away")
    entries = msgspec.json.decode(reply.body).get("entry", [])
    return [entry["resource"] for entry in entries if entry["resource"]["resourceType"] == "Patient"]
