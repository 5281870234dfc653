"""The indicators that order serves."""

from __future__ import annotations

from slipring.measuring.serving import Indicators

from slipring_order.availability.supply import scanner_time

INDICATORS = Indicators(
    "order",
    "o",
    tells=("Task", "ServiceRequest", "QuestionnaireResponse", "DetectedIssue", "Appointment", "Observation"),
    supplies={"scanner-time": scanner_time},
)
