"""A turn changes hands in two taps: what is asked, who may accept, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest
from slipring_critical.handlers import asking, swapping

from tests.support.on_call import ADirectory, a_roster, a_shift, on_call, refusal

ROSTER = {"reference": "Schedule/k-roster"}
TUESDAY = "2026-03-03T12:00:00+08:00"


@pytest.mark.clause("5.9.1")
async def test_two_taps_swap_a_turn_and_the_roster_rings_the_other() -> None:
    department = ADirectory()
    await department.written(a_roster("anne", "bob"))
    answer = await department.asked(
        swapping.swap_asked,
        "bob",
        roster=ROSTER,
        at=TUESDAY,
        with_=on_call("anne"),
        return_="2026-03-04T12:00:00+08:00",
    )
    slots = [one["resource"] for one in answer["parameter"]]
    assert [(one["status"], one["start"][:16]) for one in slots] == [
        ("busy-tentative", "2026-03-03T00:00"),
        ("busy-tentative", "2026-03-04T00:00"),
    ]
    assert await turns(department) == ["anne", "bob", "anne"]

    slot = f"Slot/{slots[0]['id']}"
    assert await refusal(department.asked(swapping.swap_answered, "bob", slot)) == [
        ("critical.swap-other", "Slot.extension")
    ]
    assert await refusal(department.asked(swapping.swap_answered, "carl", slot)) == [
        ("critical.swap-other", "Slot.extension")
    ]
    await department.asked(swapping.swap_answered, "anne", slot)

    assert await turns(department) == ["anne", "anne", "bob"]
    assert await refusal(department.asked(swapping.swap_answered, "anne", slot)) == [
        ("critical.swap-answered", "Slot.status")
    ]
    assert department.desk.versions[slot, 1].resource["status"] == "busy-tentative"  # what was asked stays on record


async def turns(department: ADirectory) -> list[str]:
    """Who is on call on Monday, Tuesday and Wednesday."""
    told = await department.asked(
        asking.on_call_told,
        target="Schedule/k-roster",
        from_="2026-03-02T12:00:00+08:00",
        until="2026-03-05T08:00:00+08:00",
    )
    people = [part["valueReference"]["reference"] for one in told["parameter"] if one["name"] == "turn"
              for part in one["part"] if part["name"] == "person"]  # fmt: skip
    return [who.removeprefix("Practitioner/o-") for who in people]


@pytest.mark.parametrize(
    ("by", "values", "found"),
    [
        ("bob", {"at": TUESDAY, "with_": on_call("dora")}, "critical.swap-with"),
        ("bob", {"at": TUESDAY, "with_": on_call("bob")}, "critical.swap-with"),
        ("anne", {"at": TUESDAY, "with_": on_call("bob")}, "critical.swap-turn"),
        ("anne", {"at": "2026-03-01T12:00:00+08:00", "with_": on_call("bob")}, "critical.swap-turn"),
        ("bob", {"at": "9999-12-31T12:00:00Z", "with_": on_call("carl")}, "critical.swap-turn"),
        ("bob", {"at": TUESDAY, "with_": on_call("carl"), "return_": TUESDAY}, "critical.swap-turn"),
    ],
)
async def test_only_ones_own_turn_to_come_is_swapped_with_somebody_who_can_be_rung(
    by: str, values: dict[str, Any], found: str
) -> None:
    department = ADirectory()
    await department.written(a_roster("anne", "bob"))
    refused = await refusal(department.asked(swapping.swap_asked, by, roster=ROSTER, **values))
    assert [detail for detail, _ in refused] == [found]
    assert refused[0][1].startswith("Parameters.parameter[")


async def test_a_swap_of_a_turn_that_changed_hands_since_is_refused() -> None:
    department = ADirectory()
    await department.written(a_roster("anne", "bob"))
    answer = await department.asked(swapping.swap_asked, "bob", roster=ROSTER, at=TUESDAY, with_=on_call("anne"))
    await department.written(a_shift("carl", "2026-03-03T00:00:00Z", "2026-03-04T00:00:00Z"))
    slot = f"Slot/{answer['parameter'][0]['resource']['id']}"
    assert await refusal(department.asked(swapping.swap_answered, "anne", slot)) == [
        ("critical.swap-stale", "Slot.start")
    ]
    await department.asked(swapping.swap_answered, "bob", slot, accept=False)
    assert department.desk.held[slot].resource["status"] == "entered-in-error"
