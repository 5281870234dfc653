"""`ServiceRequest/$indication-review`: whether indications were met in a period, told back to who asked."""

from __future__ import annotations

from slipring.fhir.service import Call, Changes, Desk, Resource, Save

from slipring_order.asked_day import asked_period
from slipring_order.review.reading import advice_told, reviewed
from slipring_order.review.report import MEASURE_ID, REPORT_SYSTEM, measure, reports


async def indications_reviewed(call: Call, desk: Desk) -> Changes:
    """One MeasureReport of the whole and one for each requester (its subject), with the cases of every figure.

    The same period asked again gives the same reports in a next version: late answers change them.
    """
    start, end = asked_period(call)
    cases, advice = await reviewed(start, end, desk), await advice_told(start, end, desk)
    saves = [] if await desk.read(f"Measure/{MEASURE_ID}") else [Save(measure())]
    answer: list[Resource] = []
    for key, report in reports(cases, advice, start, end, desk.now):
        known = next(iter(await desk.search(f"MeasureReport?identifier={REPORT_SYSTEM}|{key}")), None)
        held = {**report, "id": known.resource["id"] if known else desk.new_id()}
        saves.append(Save(held, replaces=known.version if known else None))
        answer.append({"name": "report", "resource": held})
    return Changes(save=saves, answer={"resourceType": "Parameters", "parameter": answer})
