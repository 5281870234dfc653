"""The images to be read, and what was examined before, as `Task/$priors` tells them: each study with its link to the viewer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from slipring.department import names
from slipring.department.answered import groups_of, values_of
from slipring.department.names import Pair
from slipring.department.road import Hand, Tree


@dataclass(frozen=True, slots=True)
class Study:
    """One study; `viewer`: the address that opens it, '' where the department has set none."""

    words: str
    viewer: str = ""


@dataclass(frozen=True, slots=True)
class Earlier:
    """One examination: its studies, and its reports as far as they are known here."""

    when: str = ""
    studies: Sequence[Study] = field(default_factory=list)
    reports: Sequence[Tree] = field(default_factory=list)

    @property
    def words(self) -> Pair:
        """What was examined."""
        for report in self.reports:
            if any(said := names.concept_words(report.get("code"))):
                return said
        described = next((study.words for study in self.studies if study.words), "")
        return described, described


@dataclass(frozen=True, slots=True)
class Images:
    """What `$priors` told: the studies of this exam, and the examinations before it."""

    current: Sequence[Study] = field(default_factory=list)
    earlier: Sequence[Earlier] = field(default_factory=list)


async def images_of(hand: Hand, reading: str, known: Sequence[Tree]) -> Images:
    """Studies and earlier examinations of a case; `known`: the earlier reports that were read already.

    Where there is no case, or the person's roles do not open it, the known reports stand alone.
    """
    told = await hand.called_if_allowed(f"Task/{reading}/$priors") if reading else None
    by_id = {str(one["id"]): one for one in known}
    if told is None:
        return Images([], [_alone(one) for one in known])
    current = [study for parts in groups_of(told, "current") for study in _studies(parts)]
    earlier = [_earlier(parts, by_id) for parts in groups_of(told, "prior")]
    found = {str(report["id"]) for one in earlier for report in one.reports}
    alone = [_alone(one) for id_, one in by_id.items() if id_ not in found]
    return Images(current, sorted([*earlier, *alone], key=lambda one: one.when, reverse=True))


def _earlier(parts: Sequence[Tree], known: dict[str, Tree]) -> Earlier:
    when = next((str(one["valueDateTime"]) for one in parts if one["name"] == "when"), "")
    told = [values_of(one) for one in groups_of(parts, "report")]
    ids = [names.reference_in(one.get("reference")).rpartition("/")[2] for one in told]
    reports = [
        known.get(id_)
        or {"id": id_, "status": str(one.get("status", "")), "code": {"text": str(one.get("description", ""))}}
        for id_, one in zip(ids, told, strict=True)
    ]
    return Earlier(when[:10], _studies(parts), reports)


def _alone(report: Tree) -> Earlier:
    return Earlier(str(report.get("effectiveDateTime", report.get("issued", "")))[:10], [], [report])


def _studies(parts: Sequence[Tree]) -> list[Study]:
    found = []
    for part in groups_of(parts, "study"):
        members = values_of(part)
        modalities = [str(one["valueCode"]) for one in part if one["name"] == "modality"]
        words = " · ".join([*modalities, *filter(None, [str(members.get("description", ""))])])
        found.append(Study(words, _web(str(members.get("viewer", "")))))
    return found


def _web(address: str) -> str:
    """An address that a page may lead to."""
    return address if urlsplit(address).scheme in ("https", "http") else ""
