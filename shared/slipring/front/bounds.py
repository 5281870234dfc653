"""How far the front goes for one request over several services (`searching.toml`), and the refusal beyond it."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from importlib import resources

from slipring.fhir.outcome import FhirError, Issue


@dataclass(frozen=True, slots=True)
class Bounds:
    """Bounds on the work of one search."""

    default_count: int
    everything_count: int
    largest_count: int
    most_matched: int
    most_included: int
    ids_at_once: int
    most_rounds: int


def the_bounds() -> Bounds:
    """The bounds that ship with this version."""
    tree = tomllib.loads(resources.files("slipring.front").joinpath("searching.toml").read_text("utf-8"))
    return Bounds(**{name: int(tree[name]) for name in Bounds.__dataclass_fields__})


def too_many(name: str, limit: int, what_en: str, what_zh: str) -> FhirError:
    """400: a step over services finds more than is carried on; the parameter is named, its value never."""
    issue = Issue(
        "too-costly",
        zh=f"参数 {name} 超过上限：{what_zh} {limit}。请增加检索条件或减小 _count。",
        en=f"The parameter {name} goes beyond a bound: {what_en} {limit}. Narrow the search, or ask for a smaller _count.",
        at=f"http.{name.partition(':')[0].partition('.')[0]}",
        detail="front.too-costly",
    )
    return FhirError(400, [issue])
