"""The operations on dose, as the CapabilityStatement lists them."""

from __future__ import annotations

from slipring.fhir.service import Operation, Parameter

from slipring_order.handlers.dose_review import doses_reviewed
from slipring_order.handlers.doses import dose_report_taken
from slipring_order.handlers.exposures import dose_asked

_EXAM_PARTS = (
    Parameter("performed", "dateTime", use="out"),
    Parameter("request", "Reference", use="out", max="*"),
    Parameter("dlp", "Quantity", use="out", documentation="mGy.cm"),
    Parameter("effectiveDose", "Quantity", use="out", documentation="mSv, of a reference patient"),
    Parameter("estimate", "string", use="out", documentation="by which factor and source, or why there is none"),
    Parameter("source", "Reference", use="out", max="*", documentation="the Observations that were counted"),
    Parameter("repeated", "Reference", use="out", max="*", documentation="those that say the same again"),
)

DOSE_OPERATIONS = (
    Operation(
        "Observation",
        "take-dose-report",
        dose_report_taken,
        level="type",
        title="Store the dose that a DICOM dose report states",
        parameters=(
            Parameter("report", "base64Binary", min=1, documentation="the DICOM file"),
            Parameter("request", "Reference", documentation="the exam, where the report names none or a wrong one"),
            Parameter("imagingNumber", "string", documentation="the exam by its imaging number"),
            Parameter("return", "Observation", use="out", min=1),
        ),
    ),
    Operation(
        "Patient",
        "dose",
        dose_asked,
        title="Tell what CT examinations gave a patient, each exam once",
        tells=("Observation", "ServiceRequest"),
        affects_state=False,
        parameters=(
            Parameter("months", "integer", documentation="how far back; 12 when nothing is said"),
            Parameter("since", "dateTime", use="out", min=1),
            Parameter("until", "dateTime", use="out", min=1),
            Parameter("record", "Reference", use="out", min=1, max="*", documentation="records of the same person"),
            Parameter("exams", "integer", use="out", min=1),
            Parameter("dlp", "Quantity", use="out", min=1, documentation="mGy.cm"),
            Parameter("effectiveDose", "Quantity", use="out", min=1, documentation="mSv, a lower bound"),
            Parameter("withoutEstimate", "integer", use="out", min=1),
            Parameter("caveat", "string", use="out", min=1),
            Parameter("exam", "", use="out", max="*", documentation="newest first", parts=_EXAM_PARTS),
        ),
    ),
    Operation(
        "Measure",
        "review-doses",
        doses_reviewed,
        level="type",
        title="Compare medians of dose with the diagnostic reference levels",
        tells=("Observation",),
        affects_state=False,
        parameters=(
            Parameter("periodStart", "date", min=1),
            Parameter("periodEnd", "date", min=1, documentation="the last day"),
            Parameter("scanner", "Reference", documentation="one scanner only"),
            Parameter("return", "MeasureReport", use="out", min=1),
        ),
    ),
)
