"""The time stamp of an outside authority on a signature: asked for after the commit, kept with the signature's record."""

from __future__ import annotations

import base64
import binascii
from datetime import timedelta

from slipring.fhir.service import Desk, Resource, Wake
from slipring.signing.policy import clock_tolerance
from slipring.signing.time_stamp import TIME_STAMP, TimeStampRefused, stamped_at

from slipring_report.reading import extension
from slipring_report.resources import written
from slipring_report.signatures.facts import Signature

STAMPING = "time-stamp"  # the errand


def to_be_stamped(provenance: str, desk: Desk) -> list[Wake]:
    """The errand for a signature that is taken now; none where no authority is set."""
    return [Wake(STAMPING, provenance, timedelta(), key=f"time-stamp:{provenance}")] if desk.settings.tsa else []


def with_stamp(provenance: Resource, reply: bytes) -> list[Resource]:
    """The extensions of a signature's record with the authority's answer."""
    kept = {"url": TIME_STAMP, "valueBase64Binary": base64.b64encode(reply).decode()}
    return [*provenance.get("extension", []), kept]


def stamp_of(provenance: Resource) -> bytes | None:
    """The authority's answer; None while there is none."""
    kept = extension(provenance, TIME_STAMP).get("valueBase64Binary")
    try:
        return base64.b64decode(kept, validate=True) if isinstance(kept, str) else None
    except binascii.Error:
        return b""


def stamp_judged(each: Signature, desk: Desk) -> tuple[list[Resource], list[str]]:
    """What a verification says of the stamp of a signature: parts of its answer, and reasons against it.

    A signature that awaits its stamp stands without; one whose stamp does not fit is not what the authority saw. The
    stamp may come late, never before the signature was there.
    """
    reply, roots = stamp_of(each.provenance.resource), desk.settings.tsa_roots()
    if reply is None or not roots:
        return [], []
    try:
        at = stamped_at(reply, each.jws, roots)
    except TimeStampRefused as refused:
        return [], [f"time-stamp-{refused.code}"]
    early = at < each.recorded_at - clock_tolerance()
    return [{"name": "timeStamp", "valueDateTime": written(at)}], ["time-stamp-early"] if early else []
