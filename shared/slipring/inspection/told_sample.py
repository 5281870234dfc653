"""A sample as it is read on a page: quotas and how they are filled, cases, the evidence of each service, who signed (pure)."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from slipring.client.wire import Tree, value_of, values_of
from slipring.department import names
from slipring.department.names import Pair
from slipring.signing.proof import Proof
from slipring.signing.sample_proof import CHECKED, RECORDS, member
from slipring.verdicts.period import Period, read_period

_SIGNATURE = "signature"
# What tells a record apart from others of its type, the first that it has.
_HEADS = ("code", "vaccineCode", "medicationCodeableConcept", "category", "type", "reasonCode")
_WHEN = (
    "performedDateTime",
    "effectiveDateTime",
    "authoredOn",
    "authored",
    "recorded",
    "issued",
    "date",
    "sent",
    "occurredDateTime",
)


@dataclass(frozen=True, slots=True)
class Quota:
    """One quota of Annex A and what was drawn for it."""

    kind: str  # plain | enhanced
    cases: int
    of_cases: int
    parts: int
    of_parts: int

    @property
    def filled(self) -> bool:
        """Whether there are enough cases of enough parts of the body."""
        return self.cases >= self.of_cases and self.parts >= self.of_parts


@dataclass(frozen=True, slots=True)
class Signer:
    """Who signed what a proof proves, as it was judged before masking; `holds`: nothing speaks against it."""

    name: str
    role: str
    when: datetime | None
    holds: bool


@dataclass(frozen=True, slots=True)
class Record:
    """One masked record; `altered`: it was not what the trail says when it was shown."""

    kind: str
    reference: str
    version: int
    updated: datetime | None
    head: Pair
    status: str
    when: datetime | None
    altered: bool
    sha256: str
    resource: Tree

    @property
    def text(self) -> str:
        """All of it, as JSON."""
        return json.dumps(self.resource, ensure_ascii=False, indent=2)


@dataclass(frozen=True, slots=True)
class Part:
    """What one service has on a case; `signers` of what was judged before masking, `broken`: what of it does not hold."""

    service: str
    records: Sequence[Record]
    signers: Sequence[Signer]
    broken: int

    @property
    def altered(self) -> int:
        """How many records were not what the trail says."""
        return sum(one.altered for one in self.records)


@dataclass(frozen=True, slots=True)
class CaseTold:
    """One drawn case; `parts` by service, where they are at hand."""

    number: int
    kind: str
    part: str
    systems: Sequence[str]
    parts: Sequence[Part] = ()

    @property
    def signers(self) -> list[Signer]:
        """Who signed, whichever service says it."""
        return [one for part in self.parts for one in part.signers]

    @property
    def patient(self) -> Tree:
        """Sex and year of birth of the patient: what masking leaves."""
        found = (one.resource for part in self.parts for one in part.records if one.kind == "Patient")
        return next(found, {})


@dataclass(frozen=True, slots=True)
class DrawTold:
    """A draw, kept or only looked at; `population`: exams that could be drawn, `sha256` of their list."""

    period: Period
    at: str
    seed: str
    population: int
    sha256: str
    quotas: Sequence[Quota]
    cases: Sequence[CaseTold]
    lacking: Sequence[Pair]
    services: Sequence[str] = field(default=())

    @property
    def moment(self) -> datetime | None:
        """The moment it stands for."""
        return names.moment(self.at)

    @property
    def systems(self) -> list[tuple[str, int]]:
        """How many cases each system has."""
        return sorted(Counter(system for one in self.cases for system in one.systems).items())


def draw_answered(answer: Tree) -> DrawTold:
    """What `Measure/$assessor-sample` answers."""
    said = {name: value_of(answer, name) for name in ("periodStart", "periodEnd", "at", "seed", "population", "sha256")}
    listed = {
        name: [one for one in answer["parameter"] if one["name"] == name] for name in ("quota", "case", "lacking")
    }
    quotas = {
        str(value_of(one, "kind")): {name: value_of(one, name) for name in ("cases", "parts")}
        for one in listed["quota"]
    }
    cases = [
        {"kind": value_of(one, "kind"), "part": value_of(one, "part"), "systems": values_of(one, "system")}
        for one in listed["case"]
    ]
    lacking = [{name: value_of(one, name) for name in ("zh", "en")} for one in listed["lacking"]]
    return draw_told({**said, "quotas": quotas, "cases": cases, "lacking": lacking})


def draw_told(said: Mapping[str, Any], parts: Sequence[Proof] = ()) -> DrawTold:
    """What `draw.json` says, with the parts that are at hand; LookupError or ValueError where it is none."""
    by_case: dict[int, list[Part]] = {}
    for proof in parts:
        by_case.setdefault(int(member(proof, RECORDS).get("case", 0)), []).append(part_told(proof))
    cases = [
        CaseTold(number, str(one["kind"]), str(one.get("part") or ""), one["systems"], by_case.get(number, []))
        for number, one in enumerate(said["cases"], 1)
    ]
    quotas = [
        Quota(
            kind,
            sum(one.kind == kind for one in cases),
            int(asked["cases"]),
            len({one.part for one in cases if one.kind == kind and one.part}),
            int(asked["parts"]),
        )
        for kind, asked in said["quotas"].items()
    ]
    return DrawTold(
        read_period(f"{said['periodStart']}..{said['periodEnd']}"), str(said["at"]), str(said["seed"]),
        int(said["population"]), str(said["sha256"]), quotas, cases,
        [(str(one["zh"]), str(one["en"])) for one in said["lacking"]], said.get("services", ()),
    )  # fmt: skip


def part_told(proof: Proof) -> Part:
    """One service's part of a case."""
    said, checked = member(proof, RECORDS), member(proof, CHECKED).get("checked", [])
    signers = [
        Signer(
            str(one.get("name", "")), str(one.get("role", "")), names.moment(one.get("when")), bool(one.get("holds"))
        )
        for each in checked
        for one in each.get("parts", [])
        if str(one.get("part", "")).partition("-")[0] == _SIGNATURE
    ]
    broken = sum(one.get("holds") is False for one in checked)
    return Part(str(said.get("service", "")), [_record(one) for one in said.get("records", [])], signers, broken)


def _record(one: Mapping[str, Any]) -> Record:
    resource = one["resource"]
    when = (names.moment(resource.get(name)) for name in _WHEN if resource.get(name))
    return Record(
        str(resource["resourceType"]), str(one["reference"]), int(one["version"]), names.moment(one.get("updated")),
        _head(resource), str(resource.get("status", "")), next((at for at in when if at), None),
        bool(one.get("altered")), str(one.get("sha256", "")), resource,
    )  # fmt: skip


def _head(resource: Tree) -> Pair:
    if written := names.person(resource) if resource["resourceType"] == "Practitioner" else "":
        return written, written
    for name in _HEADS:
        concept = resource.get(name)
        concept = concept[0] if isinstance(concept, list) and concept else concept
        if isinstance(concept, Mapping) and any(words := names.concept_words(concept)):
            return words
    return "", ""
