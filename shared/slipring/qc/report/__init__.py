"""Text checks of CT reports in Chinese and English, agreement of readers, and samples that can be drawn again."""

from slipring.qc.report.checking import CHECKS, NAMES, checked
from slipring.qc.report.facts import CERTAINTIES, SECTIONS, Checked, Critical, Fault, OwnWords, ReportText

__all__ = [
    "CERTAINTIES", "CHECKS", "NAMES", "SECTIONS", "Checked", "Critical", "Fault", "OwnWords", "ReportText", "checked",
]  # fmt: skip
