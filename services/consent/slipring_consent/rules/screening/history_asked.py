"""What the patient was not asked is told, so that nobody reads silence as "no"."""

from __future__ import annotations

from datetime import datetime

from slipring.rules.finding import Hit
from slipring.rules.limits import Limits
from slipring.rules.rulebook import rule

from slipring_consent.screening.facts import ScreeningFacts
from slipring_consent.screening.gathered import linked_to
from slipring_consent.screening.said import said

RULE = "consent.history-asked"


@rule(RULE, clause="CL02-A011:5.4.4.2", weight="info")
def history_is_asked(facts: ScreeningFacts, limits: Limits, now: datetime) -> Hit | None:
    """What the patient was not asked is told, so that nobody reads silence as "no".

    Allergy, renal function, thyroid and metformin have rules of their own, which ask a physician.
    """
    asked_for: dict[str, str] = dict(facts.policy.entry(RULE).get("questions", {}))
    silent = [name for name in asked_for if getattr(facts, name) == "unknown"]
    if not silent:
        return None
    return said(
        facts.policy,
        RULE,
        "unanswered",
        zh=f"未询问或未答：{'、'.join(asked_for[name] for name in silent)}。",
        en=f"Not asked or not answered: {', '.join(name.replace('_', ' ') for name in silent)}.",
        link=linked_to(silent[0]),
        inputs={"unanswered": silent},
    )
