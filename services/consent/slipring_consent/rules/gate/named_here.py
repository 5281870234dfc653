"""An injection names its exam, patient and people as they are kept here, so that an alarm finds it."""

from __future__ import annotations

from datetime import datetime

from slipring.rules.finding import Hit
from slipring.rules.limits import Limits
from slipring.rules.rulebook import rule

from slipring_consent.gate.facts import GateFacts


@rule("consent.named-here", clause="CL02-A011:5.4.4.1", weight="stop")
def names_what_is_kept_here(facts: GateFacts, limits: Limits, now: datetime) -> Hit | None:
    """An injection names its exam, patient and people as they are kept here, so that an alarm finds it.

    An address (http://.../Patient/1) is another server's to a search, whatever it ends in.
    """
    if not facts.foreign:
        return None
    return Hit(
        f"请以 Type/id 引用，不用完整地址：{', '.join(facts.foreign)}。",
        f"These are named by an address; name them as Type/id: {', '.join(facts.foreign)}.",
        at=facts.foreign[0],
    )
