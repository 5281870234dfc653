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

    Raises Refused with the server's words, Unanswered where none came. The key of the pseudonyms is made here and kept nowhere.
    """
    wire = wire or Wire(http)
    given = [parameter("seed", "String", seed), parameter("sealed", "Boolean", True), *parameters_of((), period, at)]
    drawn = wire.asked("Measure/$assessor-sample", *given)
    draw = base64.b64decode(value_of(drawn, "proof"))
    cases = _named(drawn, "case")
    key, name = base64.b64encode(secrets.token_bytes(_KEY_BYTES)).decode(), manifest_sha256(opened(draw))
    by_case: list[tuple[bytes, ...]] = []
    kinds, records = dict[str, int](), 0
    for number, case in enumerate(cases, 1):
        tell(number - 1, len(cases))
        answer = wire.asked(
            "Measure/$sample-evidence",
            parameter("case", "Integer", number),
            parameter("exam", "Reference", value_of(case, "exam")),
            parameter("request", "Reference", value_of(case, "request")),
            parameter("draw", "String", name),
            parameter("maskingKey", "Base64Binary", key),
        )
        told = [one for one in answer["parameter"] if one["name"] == "part"]
        by_case.append(tuple(base64.b64decode(value_of(one, "proof")) for one in told))
        records += sum(int(value_of(one, "records")) for one in told)
        kind = str(value_of(case, "kind"))
        kinds[kind] = kinds.get(kind, 0) + 1
    tell(len(cases), len(cases))
    lacking = tuple((str(value_of(one, "zh")), str(value_of(one, "en"))) for one in _named(drawn, "lacking"))
    content = laid_together(draw, [one for parts in by_case for one in parts])
    return Sample(content, kinds, lacking, records, draw, tuple(by_case))


def keep(sample: Sample, wire: Wire) -> list[str]:
    """Keep an exported sample where an assessor who signs in reads it: a DocumentReference for the draw, one for each case."""
    name = manifest_sha256(opened(sample.draw))
    kept = [_document("draw", f"{name}", [("draw", sample.draw)])]
    for number, parts in enumerate(sample.by_case, 1):
        listed = [(f"case-{number:02}-{n}", one) for n, one in enumerate(parts, 1)]
        kept.append(_document("case", f"{number}/{len(sample.by_case)} {name}", listed))
    return [str(wire.created(one)["id"]) for one in kept]


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
