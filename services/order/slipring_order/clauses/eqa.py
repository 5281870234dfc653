"""Whether rounds of comparison with others were answered in time and are kept whole (5.6.3)."""

from __future__ import annotations

from collections.abc import Sequence

from slipring.fhir.service import Evidence
from slipring.verdicts.looking import Judged, Look, broken

from slipring_order.eqa.standing import rounds_in


async def rounds(look: Look, counted: Sequence[Evidence]) -> Judged:
    """Of the rounds that fell due or were concluded in the period: those not answered, or without the scheme's certificate.

    A round that is still not answered counts until it is. What was not acceptable is told by its nonconformity.
    """
    first, last = look.period.first, look.until.astimezone(look.zone).date()
    faults, looked = [], 0
    for one in counted:
        for round in rounds_in([one.stored.resource]):
            state = round.state(last)
            if state == "void" or not (
                state == "late" or any(day and first <= day <= last for day in (round.due, round.returned))
            ):
                continue
            looked += 1
            if state == "late":
                faults.append(broken(one, f"未按期回报（{round.due}）", f"not answered by {round.due}"))
            elif round.lacks_certificate:
                faults.append(broken(one, "未留存证书或结果报告", "no certificate is kept with it"))
    return Judged(faults, looked)
