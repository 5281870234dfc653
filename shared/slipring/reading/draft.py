"""A draft as the editor sends it: the transaction of report and text that an API client sends (IHE RAD-141). Pure."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from slipring.department import names
from slipring.department.road import Tree
from slipring.reading.result import RESULT, result_of, with_result
from slipring.reading.sections import LOINC, fields_in, kinds, merged, sections_of, tidy

COMPOSITION = "http://hl7.org/fhir/5.0/StructureDefinition/extension-DiagnosticReport.composition"
# A report in one of these states is the report of its exam; another one is not begun beside it.
STANDING = ("registered", "partial", "preliminary", "final", "amended", "corrected", "appended")
SIGNED = ("preliminary", "final", "amended", "corrected", "appended")
DRAFT = ("registered", "partial")
_STUDY = {"system": LOINC, "code": "18748-4", "display": "Diagnostic imaging study"}
_CT = {"system": "http://terminology.hl7.org/CodeSystem/v2-0074", "code": "CT", "display": "CAT Scan"}


CONCLUSION = "conclusion"  # the name of its field among those of the sections


@dataclass(frozen=True, slots=True)
class Typed:
    """What stands in the fields of the editor, by section; which versions they were made from, and a mark of each text then.

    No version: the report was not yet begun.
    """

    words: Mapping[str, str]
    report_version: str = ""
    text_version: str = ""
    marks: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, form: Mapping[str, str]) -> Typed:
        """Read the form: `s.19005-8` is that section, `b.19005-8` the mark of its text when the form was made."""
        words = {name.removeprefix("s."): said for name, said in form.items() if name.startswith("s.")}
        marks = {name.removeprefix("b."): said for name, said in form.items() if name.startswith("b.")}
        return cls(words, form.get("report_version", ""), form.get("text_version", ""), marks)

    @property
    def empty(self) -> bool:
        """Whether nothing was typed at all."""
        return not any(map(tidy, self.words.values()))

    def differs(self, kept: Mapping[str, str]) -> bool:
        """Whether it says anything else than what is kept."""
        return any(tidy(words) != tidy(kept.get(name, "")) for name, words in self.words.items())


def words_in(report: Tree | None, text: Tree | None) -> dict[str, str]:
    """What is kept, by the fields of the editor."""
    said = {CONCLUSION: str((report or {}).get("conclusion", "")), RESULT: result_of(report or {})}
    return {one.name: one.text for one in sections_of(text)} | said


def mark(words: str) -> str:
    """A short mark of a text, to know later whether it was changed."""
    return hashlib.sha256(tidy(words).encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Met:
    """What two people wrote meanwhile.

    `typed`: what goes on in the fields; `against`: what is kept where both wrote; `taken`: where only the other one wrote,
    and the field says what he wrote.
    """

    typed: Typed
    against: Mapping[str, str]
    taken: frozenset[str]


def met(typed: Typed, kept: Mapping[str, str], versions: tuple[str, str]) -> Met:
    """Bring what was typed and what somebody else saved meanwhile together; nothing of either is lost."""
    mine = {name for name, words in typed.words.items() if typed.marks.get(name) != mark(words)}
    his = {name for name, words in kept.items() if typed.marks.get(name) != mark(words)}
    against = {name: kept[name] for name in mine & his if tidy(kept[name]) != tidy(typed.words[name])}
    taken = his - mine
    words = {**typed.words, **{name: kept[name] for name in taken}}
    now = {name: mark(said) for name, said in kept.items()}
    return Met(Typed(words, *versions, now), against, frozenset(taken))


def composition_in(report: Tree) -> str:
    """The reference of the text of a report, or ''."""
    extensions: Sequence[Tree] = report.get("extension", [])
    return next(
        (names.reference_in(one.get("valueReference")) for one in extensions if one.get("url") == COMPOSITION), ""
    )


def begun(request: Tree, studies: Sequence[Tree], typed: Typed, author: str, now: datetime) -> Tree:
    """The transaction that begins the report of a request; it finds one that somebody else has begun meanwhile."""
    about = {
        "subject": request["subject"],
        **({"encounter": request["encounter"]} if "encounter" in request else {}),
    }
    report = {
        "resourceType": "DiagnosticReport",
        "extension": [{"url": COMPOSITION, "valueReference": {"reference": "urn:uuid:text"}}],
        "basedOn": [{"reference": f"ServiceRequest/{request['id']}"}],
        "status": "partial",
        "category": [{"coding": [_CT]}],
        "code": request.get("code") or {"coding": [_STUDY]},
        **about,
        **({"effectiveDateTime": studies[0]["started"]} if studies and "started" in studies[0] else {}),
        "resultsInterpreter": [{"reference": author}],
        **({"imagingStudy": [{"reference": f"ImagingStudy/{one['id']}"} for one in studies]} if studies else {}),
    }
    text = {
        "resourceType": "Composition",
        "status": "preliminary",
        "type": {"coding": [_STUDY]},
        **about,
        "date": _written(now),
        "author": [{"reference": author}],
        "title": "CT 检查报告 CT report",
    }
    only = f"based-on=ServiceRequest/{request['id']}&status={','.join(STANDING)}"
    return _transaction(
        ("urn:uuid:report", _with_conclusion(report, typed), {"method": "POST", "url": "DiagnosticReport", "ifNoneExist": only}),
        ("urn:uuid:text", text | _sections(text, typed), {"method": "POST", "url": "Composition"}),
    )  # fmt: skip


def changed(report: Tree, text: Tree | None, typed: Typed, author: str, now: datetime) -> Tree:
    """The transaction that changes a report and its text, each from the version that the form was made from."""
    status = "partial" if report["status"] == "registered" else report["status"]
    written = _with_conclusion({**report, "status": status}, typed)
    if text is None:
        fresh = {
            "resourceType": "Composition", "status": "preliminary", "type": {"coding": [_STUDY]},
            "subject": report["subject"], "date": _written(now), "author": [{"reference": author}],
            "title": "CT 检查报告 CT report",
        }  # fmt: skip
        link = {"url": COMPOSITION, "valueReference": {"reference": "urn:uuid:text"}}
        written["extension"] = [*report.get("extension", []), link]
        paper = ("urn:uuid:text", fresh | _sections(fresh, typed), {"method": "POST", "url": "Composition"})
        return _transaction(_put(written, typed.report_version), paper)
    return _transaction(
        _put(written, typed.report_version),
        _put({**_without(text, "section"), "date": _written(now)} | _sections(text, typed), typed.text_version),
    )


def field_of(at: str, transaction: Tree) -> str:
    """The field of the editor that an element of a transaction's papers was typed in, or ''.

    `at`: the element as a refusal names it, such as `Bundle.entry[1].resource.section[2].text`.
    """
    if found := re.search(r"\bconclusion(Code)?\b", at):
        return RESULT if found[1] else CONCLUSION
    place = re.search(r"\bsection\[(\d+)\]", at)
    papers = (one["resource"] for one in transaction["entry"] if one["resource"]["resourceType"] == "Composition")
    fields = fields_in(next(papers, None))
    return fields[int(place[1])] if place and int(place[1]) < len(fields) else ""


def _put(resource: Tree, version: str) -> tuple[str, Tree, Tree]:
    reference = f"{resource['resourceType']}/{resource['id']}"
    return "", resource, {"method": "PUT", "url": reference, "ifMatch": f'W/"{version}"'}


def _sections(text: Tree, typed: Typed) -> Tree:
    writable = {one.name for one in sections_of(text) if one.own} | {kind.code for kind in kinds() if kind.own}
    sections = merged(text, {name: words for name, words in typed.words.items() if name in writable})
    return {"section": sections} if sections else {}


def _with_conclusion(report: Tree, typed: Typed) -> Tree:
    report = with_result(report, tidy(typed.words.get(RESULT, result_of(report))))
    words = tidy(typed.words.get(CONCLUSION, str(report.get("conclusion", ""))))
    if words == tidy(str(report.get("conclusion", ""))):
        return report
    return _without(report, "conclusion") | ({"conclusion": words} if words else {})


def _without(tree: Tree, member: str) -> Tree:
    return {name: value for name, value in tree.items() if name != member}


def _transaction(*papers: tuple[str, Tree, Tree]) -> Tree:
    entries: list[dict[str, Any]] = [
        {**({"fullUrl": url} if url else {}), "resource": paper, "request": asked} for url, paper, asked in papers
    ]
    return {"resourceType": "Bundle", "type": "transaction", "entry": entries}


def _written(now: datetime) -> str:
    return now.isoformat(timespec="seconds")
