"""The department's own values beside a policy pack: which entries the packs have, and the pack with them. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from slipring.fhir.service import Stored
from slipring.rules.finding import Weight

from slipring_consent.policy_set import CONTRAST_POLICY, NONE, entries, in_force, version_of
from slipring_consent.screening.packs import Policy, pack_names, policy_pack

_WEIGHTS = (*(str(one) for one in Weight), NONE)


def with_own(policy: Policy, plans: Iterable[Stored], now: datetime, time_zone: str) -> Policy:
    """The pack with the set that began last; a set with an entry that fits no pack is not in force."""
    found = in_force(plans, CONTRAST_POLICY, fits, now, time_zone)
    if found is None:
        return policy
    rules, own = {name: dict(entry) for name, entry in policy.rules.items()}, {}
    for name, [value] in entries(found[0].resource):
        pack, rule, entry = name.split(":")
        if pack == policy.id:
            rules.setdefault(rule, {})[entry] = "" if value == NONE else value
            own[rule] = version_of(found[0])
    return replace(policy, rules=rules, own=own)


def fits(name: str, values: tuple[Any, ...]) -> bool:
    """Whether a pack has this entry, and a value of this kind."""
    pack, _, rest = name.partition(":")
    rule, _, entry = rest.partition(":")
    if pack not in pack_names() or len(values) != 1:
        return False
    [value] = values
    # A department may give weight to what only another guideline speaks of; a limit is one that this pack has.
    shipped = [policy_pack(one).entry(rule).get(entry) for one in pack_names()]
    if any(one in _WEIGHTS for one in shipped if isinstance(one, str)):
        return value in _WEIGHTS
    number = isinstance(value, int | float | Decimal) and not isinstance(value, bool)
    return number and isinstance(policy_pack(pack).entry(rule).get(entry), int)
