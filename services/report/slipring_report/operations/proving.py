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
    tells=("Composition", "Observation", "Provenance"),
    parameters=(Parameter("return", "Binary", "out", 1, documentation="the file in `data`"),),
)
