"""What the reading room says of its own reports is recorded by operations only (5.6.2.3)."""

from __future__ import annotations

from slipring.fhir.outcome import unprocessable
from slipring.fhir.service import Changes, Desk, Write

from slipring_report.learning.answers import ours


async def response_written(write: Write, desk: Desk) -> Changes:
    """Nobody writes, alters or removes such a record by hand; imported history is kept as it came."""
    trees = [write.resource, *([write.before.resource] if write.before else [])]
    if any(map(ours, trees)) and not (write.imported and write.before is None):
        raise unprocessable(
            "Concordance, re-reading and scores are recorded by operations on the report.",
            "符合率、复阅与评分只能由报告上的操作记录。",
            at="QuestionnaireResponse.questionnaire",
            detail="report.learning-by-operation",
        )
    return Changes.none()
