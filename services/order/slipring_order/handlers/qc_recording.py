"""A round of tests goes on record: its values, what they mean for the scanner, and what they were held against."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from slipring.fhir.service import Changes, Desk, Resource, Save, Stored

from slipring_order.equipment.round import ROUND_SYSTEM, new_round, with_outputs
from slipring_order.equipment.values import Value, as_observation, with_limit
from slipring_order.handlers.reminding import reminder
from slipring_order.handlers.scanner_tests import scanner_stands
from slipring_order.reading import instant
from slipring_order.rooms.scanners import judged_fitness, measured_on
from slipring_order.rooms.testing import Held, held, result_of


@dataclass(frozen=True, slots=True)
class Recorded:
    """A round with its values; the values that were held against a limit, by their references."""

    round: Resource
    observations: Sequence[Resource]
    held: Mapping[str, Held]
    changes: Changes  # all but the round itself


async def recorded(
    device: Stored, values: Sequence[Value], *, kind: str, at: str, who: str, state: str, desk: Desk,
    round: Resource | None = None, methods: Mapping[str, str] | None = None,
) -> Recorded:  # fmt: skip
    """Record values as a new round, or as more values of one that is there."""
    task = round or new_round(
        id=desk.new_id(), scanner=device.reference, kind=kind, edition=desk.settings.scanner_edition, state=state,
        who=who, at=at, now=desk.now,
    )  # fmt: skip
    made = [
        as_observation(
            one, id=desk.new_id(), round=task["id"], scanner=device.reference, kind=kind, at=at, who=who,
            method=(methods or {}).get(one.test, ""),
        )
        for one in values
    ]  # fmt: skip
    others = [one.resource for one in await measured_on(device.reference, desk)]
    against = held_against([*others, *made], desk)
    made = [
        with_limit(one, against[place]) if (place := f"Observation/{one['id']}") in against else one for one in made
    ]
    was, now = (judged_fitness(device.resource, every, desk) for every in (others, [*others, *made]))
    followed = await scanner_stands(device, was, now, desk)
    task = {**task, "output": with_outputs(task, "test-result", [f"Observation/{one['id']}" for one in made])}
    saves = [Save(one) for one in made]
    mine = {place: one for place, one in against.items() if place in {f"Observation/{tree['id']}" for tree in made}}
    return Recorded(task, made, mine, Changes(save=saves).plus(followed).plus(reminder(device.reference)))


def held_against(observations: Sequence[Resource], desk: Desk) -> dict[str, Held]:
    """Each result by its reference, against the limit and baseline of its time."""
    settings = desk.settings
    limits = settings.scanner_limits.on(desk.now.astimezone(settings.zone).date())
    results = sorted(
        (one for tree in observations if (one := result_of(tree, settings.zone))),
        key=lambda one: (one.at, one.reference),
    )
    found: dict[str, Held] = {}
    for test in {one.test for one in results}:
        every = held([one for one in results if one.test == test], limits, settings.scanner_edition)
        found |= {one.result.reference: one for one in every}
    return found


async def values_of(round: Resource, desk: Desk) -> list[Stored]:
    """The values of a round."""
    return [one for one in await desk.search(f"Observation?identifier={ROUND_SYSTEM}|{round['id']}") if not one.source]


def answered(round: Resource, found: Recorded, desk: Desk) -> Resource:
    """The answer: the round, and each value with its verdict and limit."""
    parts: list[Resource] = [{"name": "return", "resource": round}]
    for one in found.observations:
        reference = f"Observation/{one['id']}"
        said = [
            {"name": "test", "valueCode": one["code"]["coding"][0]["code"]},
            {"name": "observation", "valueReference": {"reference": reference}},
        ]
        against = found.held.get(reference)
        if against is not None and against.passes is not None:
            said.append({"name": "passes", "valueBoolean": against.passes})
        if against is not None and against.limit is not None:
            said += [
                {"name": "limit", "valueString": f"{against.limit.id}|{against.limit.version}"},
                {"name": "confirmed", "valueBoolean": against.limit.confirmed},
            ]
        parts.append({"name": "result", "part": said})
    return {"resourceType": "Parameters", "parameter": [{"name": "at", "valueInstant": instant(desk.now)}, *parts]}
