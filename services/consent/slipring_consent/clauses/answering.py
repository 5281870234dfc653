"""Consent's part of `Measure/$clause-check`."""

from __future__ import annotations

from pathlib import Path

from slipring.assessing.links import read_links
from slipring.assessing.operation import Evidencing
from slipring.verdicts.corrections import corrections
from slipring.verdicts.declared import read_checks
from slipring.verdicts.history import indicators_of
from slipring.verdicts.operation import Answering
from slipring.verdicts.recording import Recording
from slipring.verdicts.whole import whole

from slipring_consent.clauses import judges
from slipring_consent.unconfirmed import unconfirmed

JUDGES = {
    "indicators": indicators_of("consent"),
    "whole": whole,
    "corrections": corrections,
    "entitled": judges.entitled,
    "lots": judges.lots,
    "observed": judges.observed,
    "permitted": judges.permitted,
    "reactions": judges.reactions,
    "received": judges.received,
    "traced": judges.traced,
}
CLAUSES = Answering(
    "consent", read_checks(Path(__file__).with_name("checks.toml")), JUDGES, unconfirmed=unconfirmed, plans=True
)
RECORDING = Recording(CLAUSES)
EVIDENCE = Evidencing("consent", read_links(Path(__file__).with_name("evidence.toml")))
