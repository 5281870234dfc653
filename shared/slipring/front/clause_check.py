"""Measure/$clause-check, $clause-record and $sample-evidence over all services.

Each row of the register once, its verdict from all who answer for it; of a case of the assessor's sample each service's part.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Sequence
from typing import Any

import msgspec

from slipring.clauses.register import register
from slipring.front.exchange import Exchange
from slipring.front.merging import KeeperRefused
from slipring.front.peers import FHIR_JSON, Reply, decoded
from slipring.verdicts.verdict import Verdict, together
from slipring.verdicts.wire import said

OPERATIONS = ("$clause-check", "$clause-record", "$sample-evidence")
_OK = 200
_PATIENCE_S = 900  # a row over a year of a large department looks at hundreds of thousands of records
_RECORDED, _PART = "recorded", "part"
Tree = dict[str, Any]


async def clause_check(exchange: Exchange, services: Sequence[str]) -> Reply:
    """Every service's part; one that is away or refuses is told as it said it."""
    replies = await asyncio.gather(*(exchange.forward(service, seconds=_PATIENCE_S) for service in services))
    for reply in replies:
        if reply.status != _OK:
            raise KeeperRefused(reply)
    trees: list[Any] = [decoded(reply.body) for reply in replies]
    answer = laid_together(trees)
    return Reply(_OK, {"content-type": FHIR_JSON, "x-request-id": exchange.request_id}, msgspec.json.encode(answer))


def laid_together(trees: Sequence[Tree]) -> Tree:
    """The answers as one, in the order of the register."""
    if parts := [one for tree in trees for one in tree["parameter"] if one["name"] == _PART]:
        return {"resourceType": "Parameters", "parameter": parts}  # of a case of the assessor's sample: side by side
    by_row: dict[str, list[Tree]] = {}
    for tree in trees:
        for one in tree["parameter"]:
            if one["name"] == "clause":
                by_row.setdefault(said(one)["id"], []).append(one)
    head = [one for one in trees[0]["parameter"] if one["name"] not in ("clause", _RECORDED)]
    kept = [one["valueInteger"] for tree in trees for one in tree["parameter"] if one["name"] == _RECORDED]
    rows = [_row(row.id, by_row[row.id]) for row in register().clauses if row.id in by_row]
    return {
        "resourceType": "Parameters",
        "parameter": [*head, *rows, *([{"name": _RECORDED, "valueInteger": sum(kept)}] if kept else [])],
    }


def _row(name: str, parts: Sequence[Tree]) -> Tree:
    told = [said(one) for one in parts]
    verdict = together(Verdict(one["verdict"]) for one in told)
    sums = "".join(f"{one}\n" for one in sorted({one["sha256"] for one in told}))
    return {
        "name": "clause",
        "part": [
            {"name": "id", "valueString": name},
            {"name": "verdict", "valueCode": str(verdict)},
            {"name": "population", "valueInteger": sum(one["population"] for one in told)},
            {"name": "exceptions", "valueInteger": sum(one["exceptions"] for one in told)},
            {"name": "sha256", "valueString": hashlib.sha256(sums.encode()).hexdigest()},
            *(part for one in parts for part in one["part"] if part["name"] == "check"),
        ],
    }
