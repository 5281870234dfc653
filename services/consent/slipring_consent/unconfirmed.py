"""The numbers of this service that wait for a named person of the department."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from slipring.fhir.service import Stored
from slipring.rules.finding import Limit
from slipring.rules.limits import EVERYTHING, LimitBook

from slipring_consent.gate.own_policy import with_own as with_own_gate
from slipring_consent.gate.policy import policy_on
from slipring_consent.screening.own_pack import with_own
from slipring_consent.screening.packs import policy_pack
from slipring_consent.settings import ConsentSettings


def unconfirmed(now: datetime, approved: Sequence[Stored]) -> list[Limit]:
    """The rules of the policy pack in use first, because they decide about contrast; then the gate's policy, and the limits."""
    settings = ConsentSettings.from_env()
    pack = policy_pack(settings.policy, confirmed=bool(settings.confirmed & {settings.policy, EVERYTHING}))
    pack = with_own(pack, approved, now, settings.time_zone)
    rules = [limit for limit in map(pack.limit, pack.rules) if not limit.confirmed]
    book = LimitBook.load(Path(__file__).with_name("data") / "limits.toml", settings.confirmed)
    day = now.astimezone(ZoneInfo(settings.time_zone)).date()
    policy = with_own_gate(policy_on(day, settings.gate, settings.confirmed), approved, now, settings.time_zone).limit
    return [*rules, *([] if policy.confirmed else [policy]), *book.unconfirmed(day)]
