"""Critical's part of `Measure/$clause-check`."""

from __future__ import annotations

from pathlib import Path

from slipring.assessing.links import read_links
from slipring.assessing.operation import Evidencing, Prover
from slipring.verdicts.declared import read_checks
from slipring.verdicts.history import indicators_of
from slipring.verdicts.operation import Answering
from slipring.verdicts.recording import Recording
from slipring.verdicts.whole import whole

from slipring_critical.answering.timeline_proof import proof_asked
from slipring_critical.cases.facts import is_case
from slipring_critical.clauses import judges
from slipring_critical.unconfirmed import unconfirmed

CLAUSES = Answering(
    "critical",
    read_checks(Path(__file__).with_name("checks.toml")),
    {"acted": judges.acted, "indicators": indicators_of("critical"), "told": judges.told, "whole": whole},
    unconfirmed=unconfirmed,
    plans=True,
)
RECORDING = Recording(CLAUSES)
EVIDENCE = Evidencing(
    "critical", read_links(Path(__file__).with_name("evidence.toml")), {"Task": Prover(proof_asked, is_case)}
)
