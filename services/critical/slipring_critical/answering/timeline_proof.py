"""`$proof`: the timeline of a case in one file that is verified without us."""

from __future__ import annotations

import base64
import json
from typing import Any

from slipring.fhir.service import Call, Changes, Desk, Resource
from slipring.signing import case_proof as names
from slipring.signing.case_chain import CASE_HEAD
from slipring.signing.proof import MEDIA_TYPE, Member, packed
from slipring.signing.report_proof import KEYS

from slipring_critical.answering.answers import case_of, messages_of
from slipring_critical.cases.record import chained_events, stated_head

_JSON, _JOSE = "application/json", "application/jose"


async def proof_asked(call: Call, desk: Desk) -> Changes:
    """The case with its chained events and every attempt and reply, sealed now."""
    case = case_of(call)
    attempts = [one.resource for one in await messages_of(case, desk)]
    stated = stated_head(case.resource)
    members = [
        Member(names.TASK, _JSON, _written(case.resource)),
        Member(names.EVENTS, _JSON, _written({"events": chained_events(case.resource)})),
        Member(names.HEAD, _JSON, stated),
        Member(names.HEAD_SEAL, _JOSE, desk.seals.seal(stated, CASE_HEAD).encode()),
        Member(KEYS, _JSON, _written({"keys": list(await desk.seals.keys())})),
        *(
            Member(f"attempt-{number}.json", _JSON, _written(one))
            for number, one in enumerate(sorted(attempts, key=_when), 1)
        ),
    ]
    answer: Resource = {
        "resourceType": "Binary",
        "contentType": MEDIA_TYPE,
        "securityContext": {"reference": case.reference},
        "data": base64.b64encode(packed(names.CASE, case.reference, desk.now, members, desk.seals.seal)).decode(),
    }
    return Changes(answer=answer)


def _written(tree: Any) -> bytes:
    return json.dumps(tree, ensure_ascii=False, sort_keys=True, default=str).encode()


def _when(attempt: Resource) -> str:
    return str(attempt.get("sent") or attempt.get("received") or "~") + str(attempt["id"])
