"""Nobody is released from observation before its time."""

from __future__ import annotations

from datetime import datetime, timedelta

from slipring.rules.finding import Hit
from slipring.rules.limits import Limits
from slipring.rules.rulebook import rule

from slipring_consent.observing.facts import ReleaseFacts

_MINUTE = timedelta(minutes=1)


@rule("consent.observation-time", clause="CL02-A011:5.4.4.1", weight="stop")
def the_time_is_over(facts: ReleaseFacts, limits: Limits, now: datetime) -> Hit | None:
    """Nobody is released from observation before its time.

    The usual time always holds. What a risk or a reaction adds asks, while nobody of the department has confirmed it.
    """
    if facts.early or facts.ends_at is None or now >= facts.ends_at:
        return None
    left = -(-(facts.ends_at - now) // _MINUTE)
    usual = timedelta(minutes=int(limits.limit("observation.minutes").value))
    longer = facts.begun_at is not None and now >= facts.begun_at + usual
    return Hit(
        f"留观时间未到，还剩 {left} 分钟，不能解除。",
        f"The observation time is not over yet: {left} min left.",
        at="Task.status",
        inputs={"minutes_left": left},
        limit=limits.limit(facts.limit) if longer else None,
    )
