"""An amendment of kind `appended` only adds: what was released stays in it word for word (CL02-A011:5.9.1).

Each line of the old text stands in the new one, whole and in the old order; new lines may stand around them, and new sentences
may follow an old line that ended one. Coded conclusions and results stay, too. Whoever wants to change what was said begins an
`amended` or a `corrected` version, which says so.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from slipring.fhir.outcome import FhirError, unprocessable
from slipring.fhir.service import Desk, Resource

from slipring_report.amending.amendment import amendment_of, amends
from slipring_report.reading import composition_of, reference_of, results_of
from slipring_report.rendering.html import plain
from slipring_report.signatures.gathering import Gathered

_ENDS = re.compile(r"[。！？；]\Z|[.!?;]\Z")  # after one of these a new sentence may follow on the same line
_FOLLOWS = re.compile(r"\s|[^\x00-\x7f]")  # "6." and "5 mm" are no two sentences


@dataclass(frozen=True, slots=True)
class Section:
    """One section of a text: how it is found again, its words, and where it stands."""

    key: str
    lines: Sequence[str]
    at: str


def keeps(old: str, new: str) -> bool:
    r"""Whether a text holds every line of an older one, whole and in the old order.

    >>> keeps("No nodule.", "No nodule. Effusion on the left."), keeps("No nodule", "No nodule above 6 mm")
    (True, False)
    >>> keeps("甲。\n乙。", "甲。\n新。\n乙。"), keeps("甲。\n乙。", "乙。\n甲。"), keeps("6.", "6.5 mm")
    (True, False, False)
    """
    left = iter(_lines(new))
    return all(any(_kept(line, candidate) for candidate in left) for line in _lines(old))


def _kept(line: str, candidate: str) -> bool:
    more = candidate.removeprefix(line)
    if more == candidate and line:
        return False
    return not more or bool(_ENDS.search(line) and _FOLLOWS.match(more))


def text_changed(old: Resource, new: Resource) -> list[str]:
    """Where a text says no more what an older one said: elements of the new one."""
    was, now, found = _by_key(old), _by_key(new), list[str]()
    for key, one in was.items():
        here = now.get(key)
        if here is None and one.lines:
            found.append("Composition.section")
        elif here is not None and not keeps("\n".join(one.lines), "\n".join(here.lines)):
            found.append(f"{here.at}.text")
    return list(dict.fromkeys(found))


def report_changed(old: Resource, new: Resource) -> list[str]:
    """Where a report holds no more what an older one held: elements of the new one."""
    found = [] if keeps(str(old.get("conclusion", "")), str(new.get("conclusion", ""))) else ["conclusion"]
    found += (
        [] if all(one in new.get("conclusionCode", []) for one in old.get("conclusionCode", [])) else ["conclusionCode"]
    )
    found += [] if set(results_of(old)) <= set(results_of(new)) else ["result"]
    return [f"DiagnosticReport.{name}" for name in found]


async def demand_report_kept(report: Resource, desk: Desk) -> None:
    """422 where the draft of an appended version drops or changes what the report itself said."""
    before = await _before(report, desk)
    if before is not None and (changed := report_changed(before, report)):
        raise _not_appended(changed)


async def demand_text_kept(text: Resource, desk: Desk) -> None:
    """422 where the text of an appended version, which says what it is added to, drops or changes words of that."""
    for relation in text.get("relatesTo", []):
        if relation.get("code") != "appends":
            continue
        old = await desk.read(reference_of(relation.get("targetReference")))
        if old is not None and (changed := text_changed(old.resource, text)):
            raise _not_appended(changed)


async def demand_all_kept(parts: Gathered, desk: Desk) -> None:
    """The same of everything that is going to be signed, whichever way it came."""
    report = parts.report.resource
    before = await _before(report, desk)
    if before is None:
        return
    changed = report_changed(before, report)
    named = composition_of(before)
    old = await desk.read(named) if named else None
    if old is not None:
        here = parts.composition
        changed += text_changed(old.resource, here.resource) if here else ["DiagnosticReport.extension"]
    if changed:
        raise _not_appended(changed)


async def _before(report: Resource, desk: Desk) -> Resource | None:
    """The released report that this draft appends to; None of every other report."""
    amendment = amendment_of(report) if amends(report) else None
    if amendment is None or amendment.kind != "appended":
        return None
    before = await desk.read(amendment.report)
    return before.resource if before else None


def _by_key(text: Resource) -> dict[str, Section]:
    """The sections by what they are; several of one kind are read as one."""
    found: dict[str, Section] = {}
    for one in _sections(text.get("section", []), "Composition.section"):
        first = found.get(one.key)
        found[one.key] = Section(one.key, [*first.lines, *one.lines], first.at) if first else one
    return found


def _sections(sections: Sequence[Resource], at: str) -> Iterator[Section]:
    for place, section in enumerate(sections):
        codings = section.get("code", {}).get("coding", [])
        named = next((f"{one.get('system', '')}|{one['code']}" for one in codings if one.get("code")), "")
        here = f"{at}[{place}]"
        key = named or str(section.get("title", "")) or here
        yield Section(key, _lines(plain(section.get("text", {}).get("div", ""))), here)
        yield from _sections(section.get("section", []), f"{here}.section")


def _lines(text: str) -> list[str]:
    return [words for line in text.splitlines() if (words := " ".join(line.split()))]


def _not_appended(changed: Sequence[str]) -> FhirError:
    issues = [
        issue
        for at in changed
        for issue in unprocessable(
            "An appended version keeps what was released, word for word, and only adds to it. To change it, cancel this draft and"
            " begin an amended or a corrected version.",
            "补充版本须逐字保留已发布的内容，只能增加；如需更改，请取消该草稿并建立修订（amended）或更正（corrected）版本。",
            at=at,
            detail="report.appended-changes",
        ).issues
    ]
    return FhirError(422, issues)
