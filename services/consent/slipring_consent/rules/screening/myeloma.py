"""Multiple myeloma is weighed together with renal function."""

from __future__ import annotations

from datetime import datetime

from slipring.rules.finding import Hit
from slipring.rules.limits import Limits
from slipring.rules.rulebook import rule

from slipring_consent.screening.facts import ScreeningFacts
from slipring_consent.screening.said import egfr_seen, said

RULE = "consent.myeloma"


@rule(RULE, clause="CL02-A011:5.4.1", weight="warn")
def myeloma_is_weighed(facts: ScreeningFacts, limits: Limits, now: datetime) -> Hit | None:
    """Multiple myeloma is weighed together with renal function.

    With normal function it is no reason to withhold contrast; a function that is not known counts as reduced.
    """
    if facts.myeloma != "yes":
        return None
    limit = facts.policy.entry(RULE).get("limit_normal_ml_min", 0)
    normal = facts.egfr_ml_min is not None and not facts.egfr_may_be_below(limit)
    return said(
        facts.policy,
        RULE,
        "normal_function" if normal else "reduced_function",
        zh="患者有多发性骨髓瘤或副蛋白血症。",
        en="The patient has multiple myeloma or paraproteinaemia.",
        link="myeloma",
        inputs={"myeloma": "yes", **egfr_seen(facts)},
    )
