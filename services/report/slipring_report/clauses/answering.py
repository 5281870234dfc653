"""Report's part of `Measure/$clause-check`."""

from __future__ import annotations

from pathlib import Path

from slipring.assessing.links import read_links
from slipring.assessing.operation import Evidencing, Prover
from slipring.verdicts.declared import read_checks
from slipring.verdicts.history import indicators_of
from slipring.verdicts.operation import Answering
from slipring.verdicts.recording import Recording
from slipring.verdicts.whole import whole

from slipring_report.clauses import judges
from slipring_report.clauses.images import images_given
from slipring_report.clauses.readers import readers_agree
from slipring_report.department import unconfirmed
from slipring_report.handlers.proving import proof_asked

JUDGES = {
    "indicators": indicators_of("report"),
    "whole": whole,
    "answered": judges.answered,
    "entitled": judges.entitled,
    "images_given": images_given,
    "in_time": judges.in_time,
    "levels": judges.levels,
    "readers_agree": readers_agree,
    "two_signers": judges.two_signers,
    "wording": judges.wording,
}
CLAUSES = Answering("report", read_checks(Path(__file__).with_name("checks.toml")), JUDGES, unconfirmed=unconfirmed)
RECORDING = Recording(CLAUSES)
EVIDENCE = Evidencing(
    "report", read_links(Path(__file__).with_name("evidence.toml")), {"DiagnosticReport": Prover(proof_asked)}
)
