"""What is signed was read from images of the right patient and the right part (CL02-A011:5.6.2.3)."""

from __future__ import annotations

from datetime import datetime

from slipring.rules.finding import Hit, Weight
from slipring.rules.limits import Limits
from slipring.rules.rulebook import rule

from slipring_report.signatures.facts import SigningFacts


@rule("report.images-match-order", clause="CL02-A011:5.6.2.3", weight=Weight.STOP)
def images_match_the_order(signing: SigningFacts, limits: Limits, now: datetime) -> Hit | None:
    """No report is signed while a difference between its images and their order is open.

    A named person settles it on the finding itself, in the order service; then the report goes on.
    """
    if not signing.mismatches:
        return None
    return Hit(
        zh=f"图像与申请不符，尚未由具名人员处理：{''.join(each.zh for each in signing.mismatches)}",
        en="Images and order differ, and no named person has settled it yet: "
        + " ".join(f"{each.en} ({each.reference})" for each in signing.mismatches),
        at="DiagnosticReport.basedOn",
        inputs={"findings": [each.reference for each in signing.mismatches]},
    )
