"""Why a file gives no dose report, in both languages."""

from __future__ import annotations


class NotADoseReport(ValueError):
    """The file is no CT dose report; the message says what it is or what it lacks."""

    def __init__(self, en: str, zh: str) -> None:
        super().__init__(f"{en} {zh}")
        self.en = en
        self.zh = zh


class Damaged(NotADoseReport):
    """The file is DICOM and not whole: what it would have said is not known."""
