"""The figures of a period as plain facts that its rules read."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class StaffingFacts:
    """Who the department has at the end of a period, and what was done in it.

    Days are days on duty: those on which the department is open, somebody held the duty and was not on leave.
    """

    scanners: int = 0  # in service
    physicians: int = 0  # who may sign first or alone
    signers: int = 0  # who may sign alone
    operators: int = 0  # who may operate a scanner alone
    nurses_in_charge: int = 0  # who may be in charge of CT nursing
    auxiliary: int = 0
    exams: int = 0
    contrast_exams: int = 0
    reports: int = 0
    technologist_days: int = 0
    physician_days: int = 0
    nurse_days: int = 0


@dataclass(frozen=True, slots=True)
class ComplaintFacts:
    """What became of the complaints of a period."""

    exams: int = 0  # performed in the period
    received: int = 0
    answered: int = 0
    late: int = 0  # answered after their time, or still without an answer after it
    waiting: int = 0  # open at the moment of asking, whenever they were received


def per(count: int, over: int) -> float | None:
    """How many come to one; None where there is nobody and nothing to share them."""
    return count / over if over else None
