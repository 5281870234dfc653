"""What is kept of advice at ordering: one DetectedIssue per card that somebody answered."""

from __future__ import annotations

from slipring.fhir.service import CANONICAL

CARD_SYSTEM = f"{CANONICAL}/sid/advice-card"
FEEDBACK_SYSTEM = f"{CANONICAL}/CodeSystem/rule-feedback"
OUTCOMES = frozenset({"accepted", "overridden"})
