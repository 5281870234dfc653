"""Taking a proof along."""

from __future__ import annotations

from slipring.fhir.service import Operation, Parameter

from slipring_report.handlers.proving import proof_asked

PROOF = Operation(
    "DiagnosticReport",
    "proof",
    proof_asked,
    title="The report's proof: one file that `slipring verify` checks without this server",
    affects_state=False,
    # The signatures in it are those of the report that is shown: who may read that may prove it.
    tells=("Composition", "Observation"),
    parameters=(Parameter("return", "Binary", "out", 1, documentation="the file in `data`"),),
)
