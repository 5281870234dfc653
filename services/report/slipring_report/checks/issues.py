"""What the checks found, as issues with their places; each has a key that lasts while its wording does. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from slipring.clauses.critical_findings import CriticalFinding
from slipring.fhir.findings import as_detected_issue
from slipring.fhir.service import Resource
from slipring.qc.report import Checked, Critical, Fault
from slipring.qc.report.advice import ADVICE, WORDING, advised, instead_of
from slipring.rules.finding import Finding, Weight

from slipring_report.checks.texts import words
from slipring_report.vocabulary import TEXT_CHECK, TEXT_PLACE

_AROUND = 24  # characters each side that belong to a wording: a changed sentence is another one


@dataclass(frozen=True, slots=True)
class TextIssue:
    """One thing to look at: which check, in which section, from where to where; `code` of a critical finding."""

    check: str
    section: str
    start: int
    end: int
    key: str
    code: str = ""
    certainty: str = ""
    named: tuple[str, str] = ("", "")  # the critical finding, in Chinese and English
    instead: tuple[str, str] = ("", "")  # what the norm says, in Chinese and English

    @property
    def asks(self) -> bool:
        """Whether a signature waits for its answer; advice on words does not."""
        return self.check not in ADVICE

    def finding(self) -> Finding:
        """As a finding of a rule, in both languages."""
        told, section = words()["check"][self.check], words()["section"].get(self.section, {"zh": "", "en": ""})
        zh, en = told["zh"], told["en"]
        if self.code:
            certainty = words()["certainty"][self.certainty]
            zh, en = f"{zh}{self.named[0]}（{certainty['zh']}）。", f"{en} {self.named[1]} ({certainty['en']})."
        if any(self.instead):
            zh, en = (
                f"{zh}建议：{self.instead[0] or self.instead[1]}。",
                f"{en} Better: {self.instead[1] or self.instead[0]}.",
            )
        return Finding(
            rule=f"report.text-{self.check}",
            version="1",
            clause=told["clause"],
            weight=Weight.ASK if self.asks else Weight.WARN,
            zh=f"{section['zh']}：{zh}",
            en=f"{section['en'].capitalize()}: {en}",
            at=f"Composition.section.where(code.coding.code='{section.get('code', '')}').text",
        )


def issues_of(
    answer: Checked, sections: Mapping[str, str], flagged: Sequence[str], known: Mapping[str, CriticalFinding]
) -> list[TextIssue]:
    """All issues of a text; a critical finding of the catalogue only while no flag of its code stands."""
    found = [_of_fault(one, sections) for one in answer.faults]
    found += [
        _of_critical(one, known[one.code])
        for one in answer.critical
        if one.code not in flagged and not _kin(one.code, flagged)
    ]
    found += [_of_fault(one, sections) for one in advised(sections)]
    return list({one.key: one for one in found}.values())


def _kin(code: str, flagged: Sequence[str]) -> bool:
    """A flag of the general bleed stands for its kinds, and that of a kind for the general one."""
    return any(one.startswith(code) or code.startswith(one) for one in flagged)


def _of_fault(fault: Fault, sections: Mapping[str, str]) -> TextIssue:
    text = sections.get(fault.section, "")
    wording = "".join(text[max(0, fault.start - _AROUND) : fault.end + _AROUND].split())
    key = _key(fault.check, fault.section, text[fault.start : fault.end], wording)
    instead = instead_of(text[fault.start : fault.end]) if fault.check == WORDING else ("", "")
    return TextIssue(fault.check, fault.section, fault.start, fault.end, key, instead=instead)


def _of_critical(one: Critical, entry: CriticalFinding) -> TextIssue:
    key = _key("critical-unflagged", one.code, one.certainty)
    named = (entry.zh, entry.en)
    return TextIssue("critical-unflagged", one.section, one.start, one.end, key, one.code, one.certainty, named)


def _key(*parts: str) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:32]


def as_issue(one: TextIssue, report: str, subject: str, now: datetime, *, id: str, author: str = "") -> Resource:
    """The DetectedIssue of one thing found, with section and offsets in characters."""
    issue = as_detected_issue(one.finding(), id=id, subject=subject, about=report, now=now, author=author)
    return {
        **issue,
        "identifier": [{"system": TEXT_CHECK, "value": one.key}],
        "extension": [*issue["extension"], _place(one)],
    }


def keys_answered(issues: Sequence[Resource]) -> set[str]:
    """The keys of what somebody has answered for, among the DetectedIssues of a report."""
    return {key for issue in issues if issue.get("mitigation") for key in keys_of(issue)}


def keys_of(issue: Resource) -> Iterator[str]:
    """The keys by which an issue names what a check of the text found."""
    for identifier in issue.get("identifier", []):
        if identifier.get("system") == TEXT_CHECK:
            yield str(identifier.get("value", ""))


def _place(one: TextIssue) -> Resource:
    parts: list[Resource] = [
        {"url": "check", "valueCode": one.check},
        {"url": "section", "valueCode": one.section},
        {"url": "start", "valueInteger": one.start},
        {"url": "end", "valueInteger": one.end},
    ]
    if one.code:
        parts += [{"url": "finding", "valueCode": one.code}, {"url": "certainty", "valueCode": one.certainty}]
    return {"url": TEXT_PLACE, "extension": parts}
