"""Charts and comparisons as the parameters of an answer. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal

from slipring.fhir.service import Resource
from slipring.qc.equipment.chart import Chart, Charted, Phase

from slipring_order.equipment.comparability import Pair
from slipring_order.reading import instant
from slipring_order.rooms.scanner_standard import Bounds
from slipring_order.rooms.testing import Held

_DIGITS = 4


def as_chart(
    chart: Chart, held: Mapping[str, Held], rounds: Mapping[str, str], unit: str, bounds: Bounds | None
) -> list[Resource]:
    """Unit, the standard's bounds as they stand, phases, and every value in the order of time; waiting ones last."""
    low, high = bounds or (None, None)
    drawn = {one.point.of for one in chart.points}
    waiting = sorted(
        (one for place, one in held.items() if place not in drawn),
        key=lambda one: (one.result.at, one.result.reference),
    )
    return [
        {"name": "unit", "valueString": unit},
        *_number("low", low),
        *_number("high", high),
        *({"name": "phase", "part": list(_phase(one))} for one in chart.phases),
        *({"name": "point", "part": list(_point(one, held[one.point.of], rounds))} for one in chart.points),
        *({"name": "point", "part": list(_value(one, rounds))} for one in waiting),
    ]


def as_pair(pair: Pair, unit: str) -> Resource:
    """Two scanners: the difference, its interval, what is allowed and what follows."""
    said: list[Resource] = [{"name": "scanner", "valueReference": {"reference": one}} for one in pair.scanners]
    apart, limit, outcome = pair.apart, pair.limit, pair.outcome
    for name, value in (
        ("difference", apart.value),
        ("low", apart.low),
        ("high", apart.high),
        ("allowed", pair.allowed),
    ):
        said += _number(name, value)
    said.append({"name": "unit", "valueString": unit})
    if limit is not None and outcome is not None:
        said += [
            {"name": "outcome", "valueCode": outcome.value},
            {"name": "limit", "valueString": f"{limit.id}|{limit.version}"},
            {"name": "source", "valueString": limit.source},
            {"name": "confirmed", "valueBoolean": limit.confirmed},
        ]
    return {"name": "pair", "part": said}


def _phase(phase: Phase) -> Iterator[Resource]:
    yield {"name": "begins", "valueInstant": instant(phase.begins_at)}
    if phase.centre is not None:
        yield from _number("mean", phase.centre.mean)
        yield from _number("sd", phase.centre.sd)
        yield {"name": "count", "valueInteger": phase.centre.count}
        yield from _number("low", phase.low)
        yield from _number("high", phase.high)


def _point(one: Charted, held: Held, rounds: Mapping[str, str]) -> Iterator[Resource]:
    yield from _value(held, rounds)
    yield {"name": "phase", "valueInteger": one.phase}
    yield from ({"name": "flag", "valueCode": flag.code} for flag in one.flags)
    if one.smoothed is not None:
        yield from _number("smoothed", one.smoothed.value)
        yield from _number("smoothedLow", one.smoothed.low)
        yield from _number("smoothedHigh", one.smoothed.high)


def _value(held: Held, rounds: Mapping[str, str]) -> Iterator[Resource]:
    result = held.result
    yield {"name": "at", "valueInstant": instant(result.at)}
    yield from _number("value", result.value)
    yield {"name": "observation", "valueReference": {"reference": result.reference}}
    if round := rounds.get(result.reference):
        yield {"name": "round", "valueReference": {"reference": f"Task/{round}"}}
    yield {"name": "kind", "valueCode": result.kind}
    yield {"name": "baseline", "valueBoolean": held.sets_baseline}
    yield {"name": "waits", "valueBoolean": result.preliminary}
    if held.passes is not None:
        yield {"name": "passes", "valueBoolean": held.passes}


def _number(name: str, value: float | Decimal | None) -> list[Resource]:
    return [] if value is None else [{"name": name, "valueDecimal": round(Decimal(str(value)), _DIGITS).normalize()}]
