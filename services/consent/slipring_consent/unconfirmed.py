"""The numbers of this service that wait for a named person of the department."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from slipring.rules.finding import Limit
from slipring.rules.limits import EVERYTHING, LimitBook

from slipring_consent.gate.policy import policy_on
from slipring_consent.screening.packs import policy_pack
from slipring_consent.settings import ConsentSettings


def unconfirmed(day: date) -> list[Limit]:
    """The rules of the policy pack in use first, because they decide about contrast; then the limits."""
    settings = ConsentSettings.from_env()
    pack = policy_pack(settings.policy, confirmed=bool(settings.confirmed & {settings.policy, EVERYTHING}))
    rules = [limit for limit in map(pack.limit, pack.rules) if not limit.confirmed]
    book = LimitBook.load(Path(__file__).with_name("data") / "limits.toml", settings.confirmed)
    policy = policy_on(day, settings.gate, settings.confirmed).limit
    return [*rules, *([] if policy.confirmed else [policy]), *book.unconfirmed(day)]
