"""`Observation/$take-dose-report`: a dose report over HTTP goes the same way as one from a scanner."""

from __future__ import annotations

import base64
import binascii
from io import BytesIO

from slipring.fhir.outcome import FhirError, not_found, unprocessable
from slipring.fhir.service import Call, Changes, Desk, Stored

from slipring_order.dose.opening import opened
from slipring_order.dose.problem import NotADoseReport
from slipring_order.dose.taking import take_dose_report
from slipring_order.images.exam import request_by_number
from slipring_order.reading import reference_of


async def dose_report_taken(call: Call, desk: Desk) -> Changes:
    """Store the dose of a DICOM dose report; `request` or `imagingNumber` name the exam better than the file does."""
    try:
        dataset = opened(BytesIO(base64.b64decode(str(call.value("report") or ""), validate=True)))
    except binascii.Error as problem:
        raise _refused(call, "this is not a DICOM file", "不是 DICOM 文件") from problem
    except NotADoseReport as problem:
        raise _refused(call, problem.en, problem.zh) from problem
    exam = await _named_exam(call, desk)
    try:
        return await take_dose_report(dataset, desk, exam)
    except NotADoseReport as problem:
        raise _refused(call, problem.en, problem.zh) from problem


async def _named_exam(call: Call, desk: Desk) -> Stored | None:
    reference, number = reference_of(call.value("request")), str(call.value("imagingNumber") or "")
    if reference:
        exam = await desk.read(reference) if reference.startswith("ServiceRequest/") else None
        if exam is None:
            raise not_found(reference)
        return exam
    exam = await request_by_number(number, desk)
    if number and exam is None:
        raise unprocessable(
            "No exam has this imaging number.",
            "没有该影像检查号的检查。",
            at=call.at("imagingNumber"),
            code="not-found",
            detail="order.no-exam-of-this-number",
        )
    return exam


def _refused(call: Call, en: str, zh: str) -> FhirError:
    return unprocessable(
        f"The dose report cannot be taken: {en}.",
        f"无法接收剂量报告：{zh}。",
        at=call.at("report"),
        code="structure",
        detail="order.not-a-dose-report",
    )
