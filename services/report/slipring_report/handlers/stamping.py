"""A time stamp is fetched from the authority after the signature was taken: an authority that is down delays nothing.

The errand is repeated, ever more slowly, until the authority answers; the signature stands meanwhile.
"""

from __future__ import annotations

import httpx
import structlog
from slipring.fhir.service import Changes, Desk, Errand, successor
from slipring.signing.time_stamp import (
    TIME_STAMP_QUERY,
    TIME_STAMP_REPLY,
    TimeStampRefused,
    ask_for_stamp,
    stamped_at,
)

from slipring_report.signatures.facts import signature
from slipring_report.signatures.stamping import stamp_of, with_stamp

_LOG = structlog.get_logger("slipring.report")
_PATIENCE_SECONDS = 10.0
_LARGEST = 65_536  # bytes; an answer with a chain of certificates is some kilobytes


class NotStamped(Exception):
    """The authority gave no stamp yet; it is asked again."""


async def stamp_fetched(errand: Errand, desk: Desk, http: httpx.AsyncClient) -> Changes:
    """Ask the authority for the stamp of one signature, and keep its answer."""
    record = await desk.read(errand.subject)
    signed = signature(record) if record is not None else None
    if record is None or signed is None or not desk.settings.tsa or stamp_of(record.resource) is not None:
        return Changes.none()
    asked = ask_for_stamp(signed.jws)
    answer = await http.post(
        desk.settings.tsa, content=asked.query, headers={"Content-Type": TIME_STAMP_QUERY}, timeout=_PATIENCE_SECONDS
    )
    kind = answer.headers.get("content-type", "").partition(";")[0]
    if answer.status_code != httpx.codes.OK or kind != TIME_STAMP_REPLY or len(answer.content) > _LARGEST:
        raise NotStamped(f"{answer.status_code} {kind}")
    try:
        stamped_at(answer.content, signed.jws, desk.settings.tsa_roots(), asked.nonce)
    except TimeStampRefused as refused:
        _LOG.warning("time stamp refused", kind=str(refused))
        raise NotStamped from refused
    return Changes(save=[successor(record, extension=with_stamp(record.resource, answer.content))])
