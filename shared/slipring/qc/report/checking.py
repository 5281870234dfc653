"""The whole examination of one report's text."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from slipring.qc.report.checks.body_part import body_part
from slipring.qc.report.checks.contradiction import contradiction
from slipring.qc.report.checks.laterality import laterality
from slipring.qc.report.checks.missing import missing_sections
from slipring.qc.report.checks.removed_organ import removed_organ
from slipring.qc.report.checks.sex_organ import sex_organ
from slipring.qc.report.checks.template_residue import template_residue
from slipring.qc.report.checks.unit import unit
from slipring.qc.report.critical import criticals
from slipring.qc.report.facts import FINDINGS, IMPRESSION, SECTIONS, Checked, Fault, ReportText
from slipring.qc.report.mentions import Section, read_section
from slipring.qc.report.parts import parts_of

Check = Callable[[ReportText, Sequence[Section]], Iterator[Fault]]

CHECKS: tuple[Check, ...] = (
    laterality,
    sex_organ,
    removed_organ,
    body_part,
    unit,
    template_residue,
    contradiction,
    missing_sections,
)
NAMES = (
    "laterality", "sex-organ", "removed-organ", "body-part", "unit", "template-residue", "contradiction", "missing-comparison",
    "missing-findings", "missing-impression",
)  # fmt: skip


def checked(report: ReportText) -> Checked:
    """The critical findings that the report states in words, and the faults in its text by section and place.

    >>> answer = checked(ReportText({"findings": "左侧气胸。", "impression": "右侧气胸。"}))
    >>> [(one.code, one.certainty) for one in answer.critical], [one.check for one in answer.faults]
    ([('CV-CT-07', 'definite')], ['laterality'])
    """
    parts = parts_of(report.body_part)
    sections = [read_section(name, report.sections.get(name, ""), parts, report.own) for name in SECTIONS]
    spoken = [one for one in sections if one.name in (FINDINGS, IMPRESSION)]
    faults = [fault for check in CHECKS for fault in check(report, sections)]
    order = {name: number for number, name in enumerate(SECTIONS)}
    faults.sort(key=lambda fault: (order[fault.section], fault.start, fault.end))
    return Checked(criticals(spoken), tuple(faults))
