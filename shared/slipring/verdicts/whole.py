"""The judge of 5.10.1 at every service: nothing that was written in the period was changed, added or taken away behind it.

It looks at all records of the service, whatever the other checks look at, and at what was written from the period's first
day to the moment of the verdict.
"""

from __future__ import annotations

from collections.abc import Sequence

from slipring.clauses.register import Words
from slipring.fhir.service import Evidence, Stray
from slipring.verdicts.looking import Judged, Look
from slipring.verdicts.verdict import Breach


async def whole(look: Look, counted: Sequence[Evidence]) -> Judged:
    """Each version is as the trail says, none is missing or too many, and the last one is the current one."""
    since, _ = look.period.span(look.zone)
    found = await look.desk.whole(since, look.at)
    faults = [_breach(stray) for stray in found.strays]
    lines = [f"stray {one.kind} {one.about} {one.differs}" for one in found.strays]
    return Judged(faults, found.versions, inputs=[f"versions {found.versions} {found.digest}", *lines])


def _breach(stray: Stray) -> Breach:
    said = Words(f"与写入时的审计记录不符（{stray.kind}）", f"not as the trail says it was written ({stray.kind})")
    return Breach(stray.about.partition("/_history/")[0], said, "altered")
