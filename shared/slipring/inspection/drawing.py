"""Drawing a sample from a page, keeping it where an assessor reads it, and finding it again, all in one person's name."""

from __future__ import annotations

import asyncio
import base64
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from slipring.client.sample import EVIDENCE, Gathering, Sample, ids_in, kept_together
from slipring.department import names
from slipring.department.road import Hand, Tree
from slipring.fhir.outcome import not_found
from slipring.fhir.service import CANONICAL
from slipring.inspection.told_sample import DrawTold, draw_told
from slipring.signing.proof import ProofRefused, opened
from slipring.signing.proof_file import judged_file
from slipring.signing.sample_file import laid_together
from slipring.signing.sample_proof import DRAWN, member
from slipring.signing.verdict import Verdict

_SYSTEM = f"{CANONICAL}/CodeSystem/sample-document"
_DRAW = "draw"


@dataclass(frozen=True, slots=True)
class DocumentKept:
    """One document of a sample: `code` is `draw` or `case`, `says` what it was described as: it ends with the draw's SHA-256."""

    id: str
    code: str
    says: str
    at: datetime | None

    @property
    def draw(self) -> str:
        """The SHA-256 of the draw's manifest."""
        return self.says.rpartition(" ")[2]


@dataclass(frozen=True, slots=True)
class SampleKept:
    """One kept sample: its draw and how many cases are kept with it."""

    draw: DocumentKept
    cases: Sequence[DocumentKept]


@dataclass(frozen=True, slots=True)
class SampleRead:
    """A kept sample, opened and judged; `file` is all of it as it is sealed."""

    kept: SampleKept
    told: DrawTold
    file: bytes
    verdict: Verdict
    sealed_at: datetime

    @property
    def sha256(self) -> str:
        """What every part names the draw by."""
        return self.kept.draw.draw

    @property
    def file_sha256(self) -> str:
        """Of the file that is taken along."""
        return hashlib.sha256(self.file).hexdigest()


async def gathered(hand: Hand, drawn: Tree) -> Sample:
    """The evidence of every case of a sealed draw, one case after the other: the services have others to serve."""
    gathering = Gathering(drawn)
    for question in gathering.questions():
        gathering.take(await hand.called(EVIDENCE, question))
    return await asyncio.to_thread(gathering.sample)


async def kept(hand: Hand, sample: Sample) -> str:
    """Keep all its documents or none; the id of the draw's."""
    return ids_in(await hand.together(kept_together(sample)))[0]


async def documents_kept(hand: Hand) -> list[DocumentKept] | None:
    """All documents of samples without what is in them; None where a person's roles do not open them."""
    asked = [("type", f"{_SYSTEM}|"), ("status", "current"), ("_elements", "type,description"), ("_count", "500")]
    found = await hand.if_allowed("DocumentReference", asked)
    return None if found is None else sorted(map(_document, found), key=lambda one: one.says)


def samples_in(found: Iterable[DocumentKept]) -> tuple[list[SampleKept], list[DocumentKept]]:
    """The samples, newest first, and documents that belong to none of them."""
    listed = list(found)
    draws = {one.draw: one for one in listed if one.code == _DRAW}
    cases: dict[str, list[DocumentKept]] = {name: [] for name in draws}
    strays: list[DocumentKept] = []
    for one in listed:
        if one.code != _DRAW:
            cases.get(one.draw, strays).append(one)
    by_time = sorted(draws.values(), key=lambda one: one.at.timestamp() if one.at else 0.0, reverse=True)
    return [SampleKept(one, sorted(cases[one.draw], key=_number)) for one in by_time], strays


async def sample_read(hand: Hand, name: str) -> SampleRead:
    """A kept sample by the id of its draw; 404 where there is none, ProofRefused where what is kept is none."""
    samples, _ = samples_in(await documents_kept(hand) or [])
    one = next((each for each in samples if each.draw.id == name), None)
    if one is None:
        raise not_found("DocumentReference")
    ids = [one.draw.id, *(each.id for each in one.cases)]
    stored = {str(each["id"]): each for each in await hand.about("DocumentReference", "_id", ids) or []}
    draw = next(iter(_contents(stored.get(name, {}))), b"")
    parts = [content for each in one.cases for content in _contents(stored.get(each.id, {}))]
    return await asyncio.to_thread(_read, one, draw, parts)


def _read(one: SampleKept, draw: bytes, parts: Sequence[bytes]) -> SampleRead:
    file = laid_together(draw, parts)
    _, verdict = judged_file(file)
    proof = opened(draw)
    try:
        told = draw_told(member(proof, DRAWN), [opened(part) for part in parts])
    except (AttributeError, LookupError, TypeError, ValueError) as error:  # whole, and yet not as a service writes it
        raise ProofRefused("proof-misshapen") from error
    return SampleRead(one, told, file, verdict, proof.made)


def _contents(document: Mapping[str, Any]) -> list[bytes]:
    return [base64.b64decode(one["attachment"].get("data", "")) for one in document.get("content", [])]


def _document(document: Mapping[str, Any]) -> DocumentKept:
    code = next((str(one.get("code", "")) for one in document["type"]["coding"] if one.get("system") == _SYSTEM), "")
    at = names.moment(str(document.get("meta", {}).get("lastUpdated", "")))
    return DocumentKept(str(document["id"]), code, str(document.get("description", "")), at)


def _number(one: DocumentKept) -> int:
    head = one.says.partition("/")[0]
    return int(head) if head.isdecimal() else 0
