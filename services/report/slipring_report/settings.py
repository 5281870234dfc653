"""The knobs of the report service, read from the environment."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path

from slipring.rules.calendar import calendar
from slipring.signing.certificate import Authority
from slipring.signing.key_certificates import certified_keys
from slipring.signing.policy import allowed_algorithms
from slipring.signing.rotation import authorities
from slipring.signing.seal_keys import Jwk
from slipring.signing.trust import (
    algorithms_accepted,
    authority_folder,
    read_revocation_lists,
    revocation_files,
    trusted_root,
)

from slipring_report.clocks.policy import policy_on
from slipring_report.worklist.viewer import viewer_template

CHAIN_LENGTHS = (2, 3)  # CL02-A011:5.6.1 allows review on two or three levels


@dataclass(frozen=True, slots=True)
class ReportSettings:
    """What a department sets; the defaults run the demo."""

    trust: Path = Path("signing/root.pem")  # the roots that practitioner certificates are judged against
    revoked: tuple[Path, ...] = ()  # files with the revocation lists of the authorities
    signing_folder: Path = Path("signing")  # where the department's own authority lies, if it has one
    tsa: str = ""  # the address of a time stamping authority (RFC 3161); none is asked when it is empty
    tsa_trust: Path | None = None  # the roots of its certificates
    algorithms: tuple[str, ...] = allowed_algorithms()
    chain_length: int = 2
    hand_over_within: timedelta = timedelta(seconds=60)
    copy_max_age: timedelta = timedelta(seconds=30)  # older copies of order's resources let nobody sign
    time_zone: str = "Asia/Shanghai"
    pdf: bool = True  # a released report has a PDF beside its page, where this machine can make one
    department_name: str = ""  # printed at the head of a report
    calendar: str = ""  # a file with the department's own working calendar; "" = the shipped one
    viewer: str = ""  # the address that opens a study in the hospital's viewer, with {study}; "" = there is none
    clocks: str = ""  # a file with the department's own reporting clocks; "" = the shipped ones

    @staticmethod
    def from_env(environ: Mapping[str, str] | None = None) -> ReportSettings:
        """Read the variables of this service (SLIPRING_SIGNING_*, _REPORT_*, _HAND_OVER_SECONDS, _TIME_ZONE and others).

        ValueError where a file is no calendar or holds no clocks, or an address opens no study: it stops the start, and no reading.
        """
        given = os.environ if environ is None else environ
        default = ReportSettings()
        chain_length = int(given.get("SLIPRING_REPORT_CHAIN", default.chain_length))
        if chain_length not in CHAIN_LENGTHS:
            raise ValueError("SLIPRING_REPORT_CHAIN must be 2 or 3")
        own_calendar, own_clocks = given.get("SLIPRING_CALENDAR", ""), given.get("SLIPRING_REPORT_CLOCKS", "")
        working = calendar(own_calendar)
        if long := [clock.code for clock in policy_on(date.max, own_clocks) if not working.holds(clock.minutes)]:
            raise ValueError(f"the working calendar has too few hours for the reporting clock {long[0]}")
        tsa = given.get("SLIPRING_TSA_URL", "")
        if tsa and not given.get("SLIPRING_TSA_TRUST"):
            raise ValueError("SLIPRING_TSA_URL needs SLIPRING_TSA_TRUST: the roots that its stamps are judged by")
        return ReportSettings(
            trust=trusted_root(given),
            revoked=revocation_files(given),
            signing_folder=authority_folder(given),
            tsa=tsa,
            tsa_trust=Path(given["SLIPRING_TSA_TRUST"]) if given.get("SLIPRING_TSA_TRUST") else None,
            algorithms=algorithms_accepted(given) or default.algorithms,
            chain_length=chain_length,
            hand_over_within=timedelta(
                seconds=float(given.get("SLIPRING_HAND_OVER_SECONDS", default.hand_over_within.total_seconds()))
            ),
            copy_max_age=timedelta(
                seconds=float(given.get("SLIPRING_FOLLOW_MAX_AGE_SECONDS", default.copy_max_age.total_seconds()))
            ),
            time_zone=given.get("SLIPRING_TIME_ZONE", default.time_zone),
            pdf=given.get("SLIPRING_REPORT_PDF", "yes") != "no",
            department_name=given.get("SLIPRING_DEPARTMENT_NAME", default.department_name),
            calendar=own_calendar,
            clocks=own_clocks,
            viewer=viewer_template(given.get("SLIPRING_VIEWER_URL", default.viewer)),
        )

    def trust_pem(self) -> bytes:
        """The trusted roots; read each time, so that a new root needs no restart. Empty when there are none."""
        try:
            return self.trust.read_bytes()
        except OSError:
            return b""

    def revocation_lists(self) -> list[bytes]:
        """The revocation lists in force. OSError when one that is set is away."""
        return read_revocation_lists(self.trust, self.revoked)

    def key_certificates(self, published: Sequence[Jwk], now: datetime) -> bytes:
        """What the department's authority says of the service's own keys, as PEM; empty when nobody can say it here."""
        return certified_keys(self.trust.parent, published, now)

    def authorities(self) -> list[Authority]:
        """The department's authorities whose keys lie here, the one in use first; none where all are outside."""
        try:
            return authorities(self.signing_folder)
        except OSError:
            return []

    def authority(self) -> Authority | None:
        """The authority that issues now."""
        return next(iter(self.authorities()), None)

    def tsa_roots(self) -> bytes:
        """The roots that time stamps are judged by; empty where none are set. OSError when the file is away."""
        return self.tsa_trust.read_bytes() if self.tsa_trust else b""
