"""The record of contrast says which, how much, how, where, when and by whom."""

from __future__ import annotations

from datetime import datetime

from slipring.rules.finding import Hit
from slipring.rules.limits import Limits
from slipring.rules.rulebook import rule

from slipring_consent.contrast.record import RecordFacts, names_of, place_of


@rule("consent.record-complete", clause="CL02-A011:5.5.3", weight="warn")
def record_is_complete(facts: RecordFacts, limits: Limits, now: datetime) -> Hit | None:
    """The record of contrast says which, how much, how, where, when and by whom.

    What is left out is listed until a later version says it; the fact itself is kept as it came.
    """
    if not facts.missing:
        return None
    return Hit(
        f"对比剂使用记录缺少：{names_of(facts.missing, 'zh')}。",
        f"The record of contrast leaves out: {names_of(facts.missing, 'en')}.",
        at=place_of(facts.missing[0]),
        inputs={"missing": list(facts.missing)},
    )
