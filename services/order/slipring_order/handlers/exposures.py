"""`Patient/[id]/$dose`: what CT examinations a patient has had, and what they are estimated to have given him."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Any

from slipring.fhir.access import reaches
from slipring.fhir.merged import any_of, merge_set
from slipring.fhir.outcome import invalid, not_found, refusal
from slipring.fhir.service import Call, Changes, Desk, Resource

from slipring_order.dose.exposure import ExamDose, Exposure, exposure
from slipring_order.dose.observation import UCUM
from slipring_order.reading import instant

_DAYS_IN_MONTHS = (365, 12)
_MOST_MONTHS = 1200
_CAVEAT_ZH = "有效剂量按参考人估算，不代表个人剂量；缺少估算的检查未计入合计，合计为下限。"
_CAVEAT_EN = (
    "Effective dose is estimated for a reference patient and is not this person's dose; exams without an estimate add "
    "nothing, so the total is a lower bound."
)


async def dose_asked(call: Call, desk: Desk) -> Changes:
    """Give the exams of the last months with DLP and estimated effective dose, each exam once; merged records count.

    Only what the caller may read is counted; nothing is stored.
    """
    if call.target is None:
        raise not_found("Patient")
    if not desk.caller.allows("Observation", "r"):
        raise refusal(
            403, "forbidden", "Reading doses needs the scope to read Observation.", "读取剂量须有读取 Observation 的权限。",
            detail="order.dose-scope",
        )  # fmt: skip
    records = await merge_set(call.target.reference, desk)
    span = timedelta(days=_months(call) * _DAYS_IN_MONTHS[0] / _DAYS_IN_MONTHS[1])
    found = await desk.search(f"Observation?subject={any_of(records)}")
    readable = [one.resource for one in found if not one.source and reaches(desk.caller, "r", one.resource)]
    received = exposure(readable, desk.now, desk.settings.zone, span)
    return Changes(answer=as_parameters(received, sorted(records), readable))


def as_parameters(received: Exposure, records: Sequence[str], observations: Iterable[Resource]) -> Resource:
    """The answer of the operation: totals, caveat, and the exams from the newest."""
    notes = {f"Observation/{one.get('id', '')}": _note(one) for one in observations}
    parts: list[Resource] = [
        _part("since", "DateTime", instant(received.since)),
        _part("until", "DateTime", instant(received.until)),
        *(_part("record", "Reference", {"reference": record}) for record in records),
        _part("exams", "Integer", len(received.exams)),
        _part("dlp", "Quantity", _quantity(received.dlp_mgy_cm, "mGy.cm")),
        _part("effectiveDose", "Quantity", _quantity(received.msv, "mSv")),
        _part("withoutEstimate", "Integer", received.not_estimated),
        _part("caveat", "String", f"{_CAVEAT_ZH} {_CAVEAT_EN}"),
        *(_exam(exam, notes) for exam in received.exams),
    ]
    return {"resourceType": "Parameters", "parameter": parts}


def _exam(exam: ExamDose, notes: dict[str, str]) -> Resource:
    parts: list[Resource] = []
    if exam.performed_at:
        parts.append(_part("performed", "DateTime", instant(exam.performed_at)))
    parts += [_part("request", "Reference", _reference(each)) for each in sorted(exam.requests)]
    if exam.dlp_mgy_cm is not None:
        parts.append(_part("dlp", "Quantity", _quantity(exam.dlp_mgy_cm, "mGy.cm")))
    if exam.msv is not None:
        parts.append(_part("effectiveDose", "Quantity", _quantity(exam.msv, "mSv")))
    how = " ".join(filter(None, (notes.get(source, "") for source in exam.sources)))
    if how:
        parts.append(_part("estimate", "String", how))
    parts += [_part("source", "Reference", {"reference": source}) for source in exam.sources]
    parts += [_part("repeated", "Reference", {"reference": each}) for each in exam.left_out]
    return {"name": "exam", "part": parts}


def _note(observation: Resource) -> str:
    return " ".join(str(note.get("text", "")) for note in observation.get("note", []))


def _reference(named: str) -> Resource:
    return {"reference": named} if "/" in named else {"identifier": {"value": named}}


def _quantity(value: Decimal, unit: str) -> Resource:
    return {"value": value, "unit": unit, "system": UCUM, "code": unit}


def _part(name: str, kind: str, value: Any) -> Resource:
    return {"name": name, f"value{kind}": value}


def _months(call: Call) -> int:
    months = call.value("months")
    if months is None:
        return 12
    if isinstance(months, bool) or not isinstance(months, int) or not 0 < months <= _MOST_MONTHS:
        raise invalid(
            f"months is a whole number from 1 to {_MOST_MONTHS}.",
            f"months 须为 1 至 {_MOST_MONTHS} 的整数。",
            at=call.at("months"),
            detail="order.months-unfit",
        )
    return months
