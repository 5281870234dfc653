"""How long a patient is observed, and what makes it longer: the department's policy over what the screening found. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from slipring.rules.finding import Limit
from slipring.rules.limits import Limits

from slipring_consent.catalogue import data_file

POLICY = "observation.toml"
LEAST = "observation.minutes"


@dataclass(frozen=True, slots=True)
class Length:
    """How long, by which limit, and why longer than usual: words in both languages, none where it is not."""

    limit: Limit
    reasons: tuple[tuple[str, str], ...] = ()

    @property
    def minutes(self) -> int:
        """The length in minutes."""
        return int(self.limit.value)

    def ends(self, begun_at: datetime) -> datetime:
        """When the patient may be released at the earliest."""
        return begun_at + timedelta(minutes=self.minutes)


def length_for(rules_that_fired: Iterable[str], limits: Limits) -> Length:
    """The longest of the usual length and of those that a finding of the screening asks for."""
    fired = set(rules_that_fired)
    usual = limits.limit(LEAST)
    asked = [(limits.limit(line["limit"]), line) for line in data_file(POLICY)["longer"] if line["rule"] in fired]
    longer = [(limit, line) for limit, line in asked if limit.value > usual.value]
    if not longer:
        return Length(usual)
    longest = max((limit for limit, _ in longer), key=lambda limit: int(limit.value))
    return Length(longest, tuple((line["zh"], line["en"]) for _, line in longer))


def after_reaction(severity: str, limits: Limits) -> Limit:
    """How long a patient is kept once a reaction of this severity has resolved."""
    by_severity = data_file(POLICY)["after_reaction"]
    return limits.limit(by_severity.get(severity, by_severity["unknown"]))


def outcomes() -> dict[str, dict[str, object]]:
    """How an observation may end, with what each ending needs."""
    return dict(data_file(POLICY)["outcome"])
