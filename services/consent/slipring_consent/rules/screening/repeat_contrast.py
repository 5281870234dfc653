"""Contrast is not given again before the pack's interval is over."""

from __future__ import annotations

from datetime import datetime, timedelta

from slipring.rules.finding import Hit
from slipring.rules.limits import Limits
from slipring.rules.rulebook import rule

from slipring_consent.screening.facts import ScreeningFacts
from slipring_consent.screening.said import egfr_seen, said

RULE = "consent.repeat-contrast"


@rule(RULE, clause="CL02-A011:5.4.1", weight="warn")
def interval_since_contrast_is_kept(facts: ScreeningFacts, limits: Limits, now: datetime) -> Hit | None:
    """Contrast is not given again before the pack's interval is over.

    Where renal function is not known, the interval of the worst function counts. The words say when it was given, never
    how long ago: a finding that was told or decided is known again by its words.
    """
    last, entry = facts.last_contrast_at, facts.policy.entry(RULE)
    if last is None or last > now or not entry:
        return None
    unknown = facts.egfr_ml_min is None or facts.acute_kidney_injury == "yes"
    severe = unknown or facts.egfr_may_be_below(entry["limit_severe_ml_min"])
    case = "too_soon_severe" if severe else "too_soon"
    hours = int(entry["limit_hours_severe" if severe else "limit_hours"])
    if now - last >= timedelta(hours=hours):
        return None
    given = f"{facts.last_contrast_from or last:%Y-%m-%d %H:%M}"
    return said(
        facts.policy,
        RULE,
        case,
        zh=f"{given} 已用过碘对比剂，建议间隔不少于 {hours} 小时。",
        en=f"Iodinated contrast was given {given}; an interval of {hours} h is advised.",
        link="last-contrast",
        inputs={"last_contrast_at": last, **egfr_seen(facts)},
    )
