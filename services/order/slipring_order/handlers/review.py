"""`ServiceRequest/$indication-review`: whether indications were met in a period, told back to who asked."""

from __future__ import annotations

from collections.abc import Sequence

from slipring.fhir.service import Call, Changes, Desk, Resource, Save, Stored

from slipring_order.asked_day import asked_period
from slipring_order.review.reading import advice_told, reviewed
from slipring_order.review.report import MEASURE_ID, REPORT_SYSTEM, measure, reports

_BATCH = 200  # keys in one search


async def indications_reviewed(call: Call, desk: Desk) -> Changes:
    """One MeasureReport of the whole and one for each requester (its subject), with the cases of every figure.

    The same period asked again gives the same reports in a next version: late answers change them.
    """
    start, end = asked_period(call)
    cases, advice = await reviewed(start, end, desk), await advice_told(start, end, desk)
    saves = [] if await desk.read(f"Measure/{MEASURE_ID}") else [Save(measure())]
    answer: list[Resource] = []
    made = list(reports(cases, advice, start, end, desk.now))
    known = await _known([key for key, _ in made], desk)
    for key, report in made:
        stood = known.get(key)
        held = {**report, "id": stood.resource["id"] if stood else desk.new_id()}
        saves.append(Save(held, replaces=stood.version if stood else None))
        answer.append({"name": "report", "resource": held})
    return Changes(save=saves, answer={"resourceType": "Parameters", "parameter": answer})


async def _known(keys: Sequence[str], desk: Desk) -> dict[str, Stored]:
    """The reports that stand already under these keys."""
    asked = [f"{REPORT_SYSTEM}|{key}" for key in keys]
    queries = [f"MeasureReport?identifier={','.join(asked[n : n + _BATCH])}" for n in range(0, len(asked), _BATCH)]
    found: dict[str, Stored] = {}
    for one in [one for each in await desk.searches(queries) for one in each]:
        own = (said["value"] for said in one.resource["identifier"] if said.get("system") == REPORT_SYSTEM)
        found |= {key: one for key in own if key not in found}
    return found
