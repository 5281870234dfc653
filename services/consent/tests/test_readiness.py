"""The crash cart before contrast: which one counts, what one not in order does, and that an emergency passes a block."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import slipring_consent
import slipring_order
from slipring.fhir.findings import rule_of
from slipring.fhir.service import CANONICAL, Changes, Write
from slipring_consent.handlers.injection import contrast_written
from slipring_consent.readiness.facts import CART_CHECK
from slipring_consent.readiness.known import readiness_known
from slipring_consent.settings import ConsentSettings

from tests.support.contrast import (
    EXAM,
    a_cart_check,
    a_cleared_department,
    a_crash_cart,
    an_injection,
    an_override,
)
from tests.support.desk import ADesk

BLOCKS = """
source = "minutes of the department"
confidence = "U"
[[policy]]
from = 2026-01-01
by = "decide-justification"
reasons = ["emergency"]
readiness = "block"
[policy.overridable]
"consent.crash-cart" = ["emergency"]
"consent.rescue-drugs" = ["emergency"]
"""


@pytest.fixture
def blocking(tmp_path: Path) -> ADesk:
    """A department whose own policy blocks."""
    file = tmp_path / "gate.toml"
    file.write_text(BLOCKS, encoding="utf-8")
    return a_cleared_department(settings=ConsentSettings(confirmed=frozenset({"*"}), gate=str(file)))


async def ask(desk: ADesk, **members: Any) -> Changes:
    return await contrast_written(Write("create", an_injection(**members)), desk)


def kept(changes: Changes) -> set[str]:
    return {rule_of(save.resource) for save in changes.save}


def reasons(changes: Changes) -> set[str]:
    return {issue.detail for issue in changes.refuse.issues} if changes.refuse else set()


@pytest.mark.clause("5.2.5")
@pytest.mark.parametrize(
    ("check", "rule"),
    [
        (a_cart_check(days_old=40), "consent.crash-cart"),
        (a_cart_check(defibrillator=False), "consent.crash-cart"),
        (a_cart_check(expires_in_days=-1), "consent.rescue-drugs"),
        (a_cart_check(expires_in_days=10), "consent.rescue-drugs-soon"),
    ],
    ids=["overdue", "a fault", "an expired drug", "a drug that soon expires"],
)
async def test_as_shipped_a_cart_not_in_order_is_noted_and_stops_nobody(check: dict[str, Any], rule: str) -> None:
    desk = a_cleared_department()
    desk.hold(check, source="order")
    changes = await ask(desk)
    assert changes.refuse is None
    assert kept(changes) == {rule}
    assert changes.save[0].resource["implicated"] == [{"reference": "MedicationAdministration/c-injection"}]


@pytest.mark.clause("5.2.5")
@pytest.mark.parametrize("places", [("a", "z"), ("z", "a")])
async def test_of_two_checks_of_the_same_moment_the_faults_of_both_count(places: tuple[str, str]) -> None:
    desk = a_cleared_department()
    good, bad = places
    desk.hold(a_cart_check() | {"id": f"{good}-check"}, source="order")
    desk.hold(a_cart_check(defibrillator=False, expires_in_days=-1) | {"id": f"{bad}-check"}, source="order")
    assert kept(await ask(desk)) == {"consent.crash-cart", "consent.rescue-drugs"}


@pytest.mark.parametrize(
    ("printed", "rule"),
    [("2025", {"consent.rescue-drugs"}), ("2026-02", {"consent.rescue-drugs"}), ("2031-05", set()), ("2031", set())],
)
async def test_a_drug_that_prints_a_month_or_a_year_is_usable_to_its_end_and_not_after(
    printed: str, rule: set[str]
) -> None:
    desk = a_cleared_department()
    check = a_cart_check()
    check["item"][0]["answer"] = [{"valueDate": printed}]
    desk.hold(check, source="order")
    assert kept(await ask(desk)) == rule


@pytest.mark.clause("5.2.5")
async def test_where_the_department_blocks_an_expired_drug_refuses_and_a_physician_passes_it_in_an_emergency(
    blocking: ADesk,
) -> None:
    assert (await ask(blocking)).refuse is None
    blocking.hold(a_cart_check(expires_in_days=-1), source="order")
    refused = await ask(blocking)
    assert reasons(refused) == {"consent.rescue-drugs"}
    assert "肾上腺素" in refused.refuse.issues[0].zh  # type: ignore[union-attr]
    passed = await ask(blocking, extension=an_override("emergency"))
    assert passed.refuse is None
    assert passed.save[0].resource["mitigation"][0]["author"] == {"reference": "Practitioner/o-physician"}
    assert reasons(await ask(blocking, extension=an_override("emergency", by="Practitioner/o-nurse")))


@pytest.mark.clause("5.2.5")
async def test_an_interval_that_nobody_has_confirmed_asks_a_physician_and_blocks_nobody(blocking: ADesk) -> None:
    blocking.settings = replace(blocking.settings, confirmed=frozenset())
    blocking.hold(a_cart_check(days_old=40), source="order")
    changes = await ask(blocking)
    [save] = [save for save in changes.save if rule_of(save.resource) == "consent.crash-cart"]
    assert save.resource["severity"] == "moderate"
    assert (await ask(blocking, extension=an_override("emergency"))).refuse is None


async def test_no_cart_on_record_and_one_never_checked_are_noted() -> None:
    desk = a_cleared_department()
    desk.hold(a_cart_check() | {"status": "entered-in-error"}, source="order")
    assert kept(await ask(desk)) == {"consent.crash-cart"}
    desk.hold(a_crash_cart() | {"status": "inactive"}, source="order")
    changes = await ask(desk)
    assert changes.save[0].resource["detail"] == "没有登记抢救车。"


@pytest.mark.clause("5.3.1.1")
async def test_the_cart_in_the_scanners_room_counts_and_of_several_the_best() -> None:
    desk = a_cleared_department()
    room = "Location/o-room1"
    scanner = {"resourceType": "Device", "id": "o-ct", "status": "active", "location": {"reference": room}}
    code = {"coding": [{"system": f"{CANONICAL}/CodeSystem/task-code", "code": "scheduled-step"}]}
    step = {"resourceType": "Task", "id": "o-step", "status": "accepted", "intent": "order", "code": code}
    for held in (
        scanner,
        step | {"focus": {"reference": EXAM}, "owner": {"reference": "Device/o-ct"}},
        a_crash_cart("o-here", room),
        a_cart_check("o-here", days_old=60),
    ):
        desk.hold(held, source="order")
    facts = await readiness_known(EXAM, desk)
    assert (facts.cart, facts.at_the_room) == ("Device/o-here", True), "the good one stands elsewhere"
    desk.hold(a_crash_cart("o-second", room), source="order")
    desk.hold(a_cart_check("o-second", days_old=2), source="order")
    assert (await readiness_known(EXAM, desk)).cart == "Device/o-second"
    desk.hold(
        step | {"focus": {"reference": EXAM}, "owner": {"reference": "Device/o-ct"}, "status": "cancelled"},
        source="order",
    )
    facts = await readiness_known(EXAM, desk)
    assert not facts.at_the_room, "nobody knows the room: any cart of the department counts"


async def test_an_older_pass_heals_no_newer_fault_and_another_form_is_no_check() -> None:
    desk = a_cleared_department()
    desk.hold(a_cart_check(days_old=1, oxygen=False) | {"id": "o-newer"}, source="order")
    assert (await readiness_known(EXAM, desk)).faults == ("oxygen",)
    other = a_cart_check(days_old=0) | {"id": "o-other", "questionnaire": CART_CHECK.replace("crash-cart", "equipment")}
    desk.hold(other, source="order")
    assert (await readiness_known(EXAM, desk)).faults == ("oxygen",)


def test_consent_and_order_mean_the_same_list_and_the_same_interval() -> None:
    order = Path(slipring_order.__file__).parent
    consent = Path(slipring_consent.__file__).parent
    told = tomllib.loads((order / "limits.toml").read_text(encoding="utf-8"))["checks"]["crash-cart"]
    weighed = tomllib.loads((consent / "data" / "limits.toml").read_text(encoding="utf-8"))["readiness"]["check_months"]
    assert [one["value"] for one in told["values"]] == [one["value"] for one in weighed["values"]]
    assert told["unit"] == weighed["unit"]
    lists = tomllib.loads((order / "department" / "checklists.toml").read_text(encoding="utf-8"))
    assert CART_CHECK.rpartition("staff-and-rooms-")[2] in lists
