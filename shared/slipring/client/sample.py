"""An assessor's sample, drawn and exported over the wire: the sealed draw, then each case with the parts of all services."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import httpx

from slipring.client.clauses import parameters_of
from slipring.client.wire import Tree, Wire, parameter, value_of
from slipring.fhir.service import CANONICAL
from slipring.signing.proof import MEDIA_TYPE, opened
from slipring.signing.sample_file import laid_together
from slipring.signing.sample_proof import manifest_sha256
from slipring.verdicts.period import Period

DRAWING, EVIDENCE = "Measure/$assessor-sample", "Measure/$sample-evidence"
_KEY_BYTES = 32


@dataclass(frozen=True, slots=True)
class Sample:
    """The file, and what stands in it: cases by kind, quotas that were not filled, records in all."""

    content: bytes
    cases: dict[str, int]
    lacking: tuple[tuple[str, str], ...]  # Chinese, English
    records: int
    draw: bytes
    by_case: tuple[tuple[bytes, ...], ...]  # the parts of each case, as they are sealed


class Gathering:
    """A sample while its parts come in, whoever carries questions and answers; the key of the pseudonyms is made here and kept nowhere."""

    def __init__(self, drawn: Tree) -> None:
        self._drawn = drawn
        self._draw = base64.b64decode(value_of(drawn, "proof"))
        self._by_case: list[tuple[bytes, ...]] = []
        self._kinds, self._records = dict[str, int](), 0

    def questions(self) -> list[list[Tree]]:
        """What `EVIDENCE` is asked, case by case."""
        key = base64.b64encode(secrets.token_bytes(_KEY_BYTES)).decode()
        name = manifest_sha256(opened(self._draw))
        return [
            [
                parameter("case", "Integer", number),
                parameter("exam", "Reference", value_of(case, "exam")),
                parameter("request", "Reference", value_of(case, "request")),
                parameter("draw", "String", name),
                parameter("maskingKey", "Base64Binary", key),
            ]
            for number, case in enumerate(_named(self._drawn, "case"), 1)
        ]

    def take(self, answer: Tree) -> None:
        """The parts of the next case."""
        case = _named(self._drawn, "case")[len(self._by_case)]
        told = _named(answer, "part")
        self._by_case.append(tuple(base64.b64decode(value_of(one, "proof")) for one in told))
        self._records += sum(int(value_of(one, "records")) for one in told)
        kind = str(value_of(case, "kind"))
        self._kinds[kind] = self._kinds.get(kind, 0) + 1

    def sample(self) -> Sample:
        """All of it as one file."""
        lacking = tuple((str(value_of(one, "zh")), str(value_of(one, "en"))) for one in _named(self._drawn, "lacking"))
        content = laid_together(self._draw, [one for parts in self._by_case for one in parts])
        return Sample(content, self._kinds, lacking, self._records, self._draw, tuple(self._by_case))


def draw_asked(seed: str, period: Period | None = None, at: str = "", *, sealed: bool = True) -> list[Tree]:
    """What `DRAWING` is asked."""
    return [
        parameter("seed", "String", seed),
        *([parameter("sealed", "Boolean", True)] if sealed else []),
        *parameters_of((), period, at),
    ]


def exported(
    http: httpx.Client,
    seed: str,
    period: Period | None = None,
    at: str = "",
    *,
    tell: Callable[[int, int], None] = lambda done, of: None,
    wire: Wire | None = None,
) -> Sample:
    """Draw by a seed and gather the cases, one after the other; `tell`: cases done, cases in all.

    Raises Refused with the server's words, Unanswered where none came.
    """
    wire = wire or Wire(http)
    gathering = Gathering(wire.asked(DRAWING, *draw_asked(seed, period, at)))
    questions = gathering.questions()
    for done, question in enumerate(questions):
        tell(done, len(questions))
        gathering.take(wire.asked(EVIDENCE, *question))
    tell(len(questions), len(questions))
    return gathering.sample()


def keep(sample: Sample, wire: Wire) -> list[str]:
    """Keep an exported sample where an assessor who signs in reads it; the ids of its documents, that of the draw first."""
    return ids_in(wire.together(kept_together(sample)))


def kept_together(sample: Sample) -> Tree:
    """The transaction that keeps all documents of a sample, or none."""
    posted = {"method": "POST", "url": "DocumentReference"}
    entries = [{"resource": one, "request": posted} for one in documents(sample)]
    return {"resourceType": "Bundle", "type": "transaction", "entry": entries}


def ids_in(answer: Tree) -> list[str]:
    """The ids of the documents that the transaction made, that of the draw first."""
    places = (str(one["response"]["location"]) for one in answer["entry"])
    return [place.partition("DocumentReference/")[2].partition("/")[0] for place in places]


def documents(sample: Sample) -> list[Tree]:
    """A sample as it is kept: a DocumentReference for the draw, one for each case; each names the draw by its SHA-256."""
    name = manifest_sha256(opened(sample.draw))
    kept = [_document("draw", f"{name}", [("draw", sample.draw)])]
    for number, parts in enumerate(sample.by_case, 1):
        listed = [(f"case-{number:02}-{n}", one) for n, one in enumerate(parts, 1)]
        kept.append(_document("case", f"{number}/{len(sample.by_case)} {name}", listed))
    return kept


def _document(code: str, says: str, files: Sequence[tuple[str, bytes]]) -> Tree:
    return {
        "resourceType": "DocumentReference",
        "status": "current",
        "type": {"coding": [{"system": f"{CANONICAL}/CodeSystem/sample-document", "code": code}]},
        "description": says,
        "content": [
            {"attachment": {"contentType": MEDIA_TYPE, "title": title, "data": base64.b64encode(content).decode()}}
            for title, content in files
        ],
    }


def _named(tree: Tree, name: str) -> list[Any]:
    return [one for one in tree.get("parameter", []) if one["name"] == name]
