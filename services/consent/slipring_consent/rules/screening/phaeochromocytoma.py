"""A tumour that makes catecholamines is weighed by how contrast is given."""

from __future__ import annotations

from datetime import datetime

from slipring.rules.finding import Hit
from slipring.rules.limits import Limits
from slipring.rules.rulebook import rule

from slipring_consent.screening.facts import ScreeningFacts
from slipring_consent.screening.said import said

RULE = "consent.phaeochromocytoma"


@rule(RULE, clause="CL02-A011:5.4.1", weight="warn")
def phaeochromocytoma_is_weighed(facts: ScreeningFacts, limits: Limits, now: datetime) -> Hit | None:
    """A tumour that makes catecholamines is weighed by how contrast is given."""
    if facts.phaeochromocytoma != "yes":
        return None
    return said(
        facts.policy,
        RULE,
        "intravenous" if facts.route == "intravenous" else "arterial",
        zh="患者有嗜铬细胞瘤等分泌儿茶酚胺的肿瘤。",
        en="The patient has a tumour that makes catecholamines.",
        link="phaeochromocytoma",
        inputs={"phaeochromocytoma": "yes", "route": facts.route},
    )
