"""Who signs a report knows of the reactions during its exam, and what they mean for the result (CL02-A011:4.13)."""

from __future__ import annotations

from datetime import datetime

from slipring.rules.finding import Hit, Weight
from slipring.rules.limits import Limits
from slipring.rules.rulebook import rule

from slipring_report.drafts.reactions import DraftFacts


@rule("report.reactions-told", clause="CL02-A011:4.13", weight=Weight.WARN)
def reactions_are_told(draft: DraftFacts, limits: Limits, now: datetime) -> Hit | None:
    """Who is about to sign is told of every reaction during the exam and its effect on the result; it never stops him."""
    if not draft.reactions:
        return None
    zh = "；".join(f"{each.effect or '尚未填写'}（{each.reference}）" for each in draft.reactions)
    en = "; ".join(f"{each.effect or 'not stated yet'} ({each.reference})" for each in draft.reactions)
    return Hit(
        zh=f"检查中发生过不良反应，对结果的影响：{zh}。",
        en=f"There was an adverse reaction during this exam; its effect on the result: {en}.",
        at="DiagnosticReport.basedOn",
        inputs={"reactions": [each.reference for each in draft.reactions]},
    )
