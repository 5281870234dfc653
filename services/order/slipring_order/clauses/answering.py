"""Order's part of `Measure/$clause-check`."""

from __future__ import annotations

from pathlib import Path

from slipring.verdicts.corrections import corrections
from slipring.verdicts.declared import read_checks
from slipring.verdicts.history import indicators_of
from slipring.verdicts.operation import Answering
from slipring.verdicts.recording import Recording
from slipring.verdicts.whole import whole

from slipring_order.clauses import eqa, exams, offer, owed
from slipring_order.clauses.accounts import accounts
from slipring_order.clauses.doses import doses
from slipring_order.clauses.drawing import Drawing
from slipring_order.clauses.protocols import protocols
from slipring_order.clauses.sample import sample
from slipring_order.unconfirmed import unconfirmed

JUDGES = {
    "indicators": indicators_of("order"),
    "whole": whole,
    "accounts": accounts,
    "attended": exams.attended,
    "compared": offer.compared,
    "complete": exams.complete,
    "constancy": offer.constancy,
    "corrections": corrections,
    "department": owed.department,
    "doses": doses,
    "doubted": exams.doubted,
    "justified": exams.justified,
    "mismatches": exams.mismatches,
    "misnumbered": exams.misnumbered,
    "numbered": exams.numbered,
    "occupational": owed.occupational,
    "operated": exams.operated,
    "owed": owed.owed,
    "prepared": offer.prepared,
    "protocols": protocols,
    "rounds": eqa.rounds,
    "sample": sample,
    "scope": offer.scope,
    "staffing": offer.staffed,
}
CLAUSES = Answering(
    "order", read_checks(Path(__file__).with_name("checks.toml")), JUDGES, unconfirmed=unconfirmed, plans=True
)
RECORDING = Recording(CLAUSES, lays_together=True)
DRAWING = Drawing(CLAUSES)
