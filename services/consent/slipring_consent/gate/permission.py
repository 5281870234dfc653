"""How an asking for permission stands: what speaks against it, what a named physician passes, what is only noted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from slipring.fhir.service import Desk, Require, Resource
from slipring.rules.finding import Finding, Weight
from slipring.staff import Reason

from slipring_consent.department import gate_policy_of
from slipring_consent.gate.override import Override, not_entitled, override_of
from slipring_consent.gate.policy import GatePolicy
from slipring_consent.gate.weighing import judged, stale_copies

_AGAINST = frozenset({Weight.STOP, Weight.ASK})


@dataclass(frozen=True, slots=True)
class Permission:
    """All that was weighed for one administration, with the named override it carries.

    `stop` stands against it unless the policy lets the override's reason pass that rule; `ask` until a named physician decides;
    `warn` and `info` are noted.
    """

    findings: Sequence[Finding]
    stale: Finding | None  # the copies are too old to decide on
    override: Override | None
    not_entitled: Sequence[Reason]  # why the override does not stand
    policy: GatePolicy
    relied_on: Sequence[Require]
    as_of: datetime | None  # up to when order's copies were complete

    @property
    def against(self) -> list[Finding]:
        """What stands against permission."""
        return [one for one in self._all if one.weight in _AGAINST and not self._passes(one)]

    @property
    def passed(self) -> list[Finding]:
        """What the named physician passes."""
        return [one for one in self._all if one.weight in _AGAINST and self._passes(one)]

    @property
    def noted(self) -> list[Finding]:
        """What does not stand against it, and is to be known."""
        return [one for one in self._all if one.weight not in _AGAINST]

    @property
    def permitted(self) -> bool:
        """Whether contrast may be given."""
        return not self.against and not self.not_entitled

    @property
    def _all(self) -> list[Finding]:
        return [*([self.stale] if self.stale else []), *self.findings]

    def _passes(self, finding: Finding) -> bool:
        return self.override is not None and not self.not_entitled and self.override.covers(finding, self.policy)


async def asked(administration: Resource, desk: Desk) -> Permission:
    """Weigh everything at once; nothing is stored."""
    override, policy = override_of(administration), await gate_policy_of(desk)
    verdict, stale = await judged(administration, desk), await stale_copies(desk)
    found = [*([stale] if stale else []), *verdict.findings]
    return Permission(
        findings=verdict.findings,
        stale=stale,
        override=override,
        not_entitled=await not_entitled(override, found, policy, desk) if override else (),
        policy=policy,
        relied_on=verdict.relied_on,
        as_of=await desk.as_of("order"),
    )
