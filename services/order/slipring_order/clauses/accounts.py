"""The clause about access rights: whoever has left can sign in no more (CL02-A011:5.10.1)."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from slipring.clauses.register import Words
from slipring.fhir.service import Evidence
from slipring.staff import has_left
from slipring.verdicts.looking import Judged, Look
from slipring.verdicts.verdict import Breach

from slipring_order.people import person_and_roles

_OPEN = Words("已离岗，账户仍可登录", "has left, and can still sign in")


async def accounts(look: Look, counted: Sequence[Evidence]) -> Judged:
    """No account was open at the end of the period whose person had left by then."""
    opened = await look.desk.open_accounts(look.until)
    faults = []
    async for who in look.spread(sorted({one.practitioner for one in opened})):
        person, roles = await look.once(f"person {who}", partial(person_and_roles, who, look.then))
        if has_left(person, roles, look.until, zone=look.desk.settings.time_zone):
            faults.append(Breach(who, _OPEN))
    seen = sorted(f"account of {one.practitioner} open since {one.since.isoformat()}" for one in opened)
    return Judged(faults, len(opened), inputs=seen)
