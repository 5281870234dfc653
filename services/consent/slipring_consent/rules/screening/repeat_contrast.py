"""Contrast is not given again before the pack's interval is over."""

from __future__ import annotations

from datetime import datetime, timedelta

from slipring.rules.finding import Hit
from slipring.rules.limits import Limits
from slipring.rules.rulebook import rule

from slipring_consent.screening.facts import ScreeningFacts
from slipring_consent.screening.said import egfr_seen, said

RULE = "consent.repeat-contrast"
_HOUR = timedelta(hours=1)


@rule(RULE, clause="CL02-A011:5.4.1", weight="warn")
def interval_since_contrast_is_kept(facts: ScreeningFacts, limits: Limits, now: datetime) -> Hit | None:
    """Contrast is not given again before the pack's interval is over.

    Where renal function is not known, the interval of the worst function counts.
    """
    last, entry = facts.last_contrast_at, facts.policy.entry(RULE)
    if last is None or last > now or not entry:
        return None
    unknown = facts.egfr_ml_min is None or facts.acute_kidney_injury == "yes"
    severe = unknown or facts.egfr_may_be_below(entry["limit_severe_ml_min"])
    case = "too_soon_severe" if severe else "too_soon"
    hours, passed = int(entry["limit_hours_severe" if severe else "limit_hours"]), now - last
    if passed >= timedelta(hours=hours):
        return None
    since = int(passed / _HOUR)
    return said(
        facts.policy,
        RULE,
        case,
        zh=f"{since} 小时前已用过碘对比剂，建议间隔不少于 {hours} 小时。",
        en=f"Iodinated contrast was given {since} h ago; an interval of {hours} h is advised.",
        link="last-contrast",
        inputs={"last_contrast_at": last, "hours_since": since, **egfr_seen(facts)},
    )
