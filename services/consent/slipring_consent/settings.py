"""The knobs of this service only."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path

from slipring.signing.policy import allowed_algorithms
from slipring.signing.trust import YES, algorithms_accepted, read_revocation_lists, revocation_files, trusted_root

from slipring_consent.gate.policy import policy_on
from slipring_consent.screening.packs import pack_names


@dataclass(frozen=True, slots=True)
class ConsentSettings:
    """What a department may set; the defaults run the demo."""

    policy: str = "esur-10"  # the policy pack that judges screening
    confirmed: frozenset[str] = frozenset()  # packs whose unconfirmed numbers a named person has confirmed
    gate: str = ""  # a file with the department's own gate policy, in the form of gate.toml; "" = the shipped one
    copy_max_age: timedelta = timedelta(seconds=30)  # older copies of order's resources decide nothing
    hand_over_within: timedelta = timedelta(seconds=60)  # critical takes a severe reaction over within this time
    time_zone: str = "Asia/Shanghai"
    trust: Path = field(default_factory=lambda: trusted_root({}))  # the roots that signers' certificates are judged by
    revoked: tuple[Path, ...] = ()  # files with the revocation lists of the authorities
    algorithms: tuple[str, ...] = allowed_algorithms()
    demo: bool = False  # every printed page says so

    def trust_pem(self) -> bytes:
        """The trusted roots, read each time; empty when there are none."""
        try:
            return self.trust.read_bytes()
        except OSError:
            return b""

    def revocation_lists(self) -> list[bytes]:
        """The revocation lists; read each time, as they are replaced while the service runs. OSError when one is away."""
        return read_revocation_lists(self.trust, self.revoked)

    @classmethod
    def from_env(cls, environ: Mapping[str, str] | None = None) -> ConsentSettings:
        """Read the SLIPRING_CONSENT_*, _FOLLOW_MAX_AGE_SECONDS, _HAND_OVER_SECONDS, _TIME_ZONE and _SIGNING_* variables.

        ValueError when the department's own gate policy is none, or a policy pack is named that is not shipped.
        """
        found = os.environ if environ is None else environ
        default = cls()
        confirmed = found.get("SLIPRING_CONSENT_CONFIRMED", "")
        gate = found.get("SLIPRING_CONSENT_GATE", default.gate)
        policy_on(date.max, gate)  # a file that is no policy stops the start, not a patient
        policy = found.get("SLIPRING_CONSENT_POLICY", default.policy)
        if policy not in pack_names():
            raise ValueError(f"SLIPRING_CONSENT_POLICY names no policy pack; there are: {', '.join(pack_names())}")
        return cls(
            policy=policy,
            confirmed=frozenset(name.strip() for name in confirmed.split(",") if name.strip()),
            gate=gate,
            copy_max_age=timedelta(
                seconds=float(found.get("SLIPRING_FOLLOW_MAX_AGE_SECONDS", default.copy_max_age.total_seconds()))
            ),
            hand_over_within=timedelta(
                seconds=float(found.get("SLIPRING_HAND_OVER_SECONDS", default.hand_over_within.total_seconds()))
            ),
            time_zone=found.get("SLIPRING_TIME_ZONE", default.time_zone),
            trust=trusted_root(found),
            revoked=revocation_files(found),
            demo=found.get("SLIPRING_DEMO", "").lower() in YES,
            algorithms=algorithms_accepted(found) or default.algorithms,
        )
