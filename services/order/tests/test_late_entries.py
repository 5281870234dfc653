"""What happened in the rooms is entered later: at its own moment, in its order, and after a while with the reason."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from slipring.fhir.outcome import FhirError
from slipring.fhir.service import Changes, Resource
from slipring_order import resources
from slipring_order.handlers.check_list import checked
from slipring_order.handlers.day_views import arrivals
from slipring_order.handlers.performing import finished, started
from slipring_order.handlers.reception import arrived
from slipring_order.rooms.checks import ARRIVAL, DONE, ITEM, is_record_of

from tests.support.desk import ADesk
from tests.support.ordering import a_desk, a_request, received, the_exam
from tests.support.rooms import call
from tests.support.staffing import a_member, held

WHO: Any = ("Reference", {"reference": "Practitioner/o-tech"})
SHOWN: dict[str, Any] = {
    "identifier": ("Identifier", {"system": "urn:hospital", "value": "A1"}),
    "birthDate": ("Date", "1961-07-15"),
}
ITEMS: Any = [("Code", item) for item in ("identity-confirmed", "item-confirmed", "parameters-set")]
WHY: Any = ("String", "network down 网络中断")


async def asked_for() -> ADesk:
    """An exam, and a technologist who may do all of it."""
    papers = [
        held(code, "2020-01-01", "2030-01-01")
        for code in ("ct-equipment-certificate", "radiation-worker-certificate", "competence")
    ]
    desk = a_desk(*a_member("o-tech", "technologist", *papers, roles=("technologist",)))
    await received(desk, a_request())
    return desk


async def act(desk: ADesk, operation: Any, ago: float | None = None, **values: Any) -> Changes:
    exam = await desk.read(f"Task/{(await the_exam(desk))['id']}")
    when = {} if ago is None else {"occurred": ("Instant", (desk.now - timedelta(minutes=ago)).isoformat())}
    changes: Changes = await operation(call(exam, **{"performer": WHO, **when, **values}), desk)
    desk.carry_out(changes)
    assert not changes.refuse, changes.refuse
    return changes


async def refused(desk: ADesk, operation: Any, ago: float | None = None, **values: Any) -> tuple[int, str]:
    before = dict(desk.held)
    with pytest.raises(FhirError) as error:
        await act(desk, operation, ago, **values)
    assert desk.held == before, "nothing is half-stored"
    [issue] = error.value.issues
    assert issue.zh and issue.en and issue.at.startswith("Parameters.parameter")
    return error.value.status, issue.detail


def recorded(desk: ADesk, item: str) -> Resource:
    [record] = [one.resource for one in desk.held.values() if is_record_of(one.resource, item)]
    return record


@pytest.mark.clause("4.13 d")
async def test_an_exam_is_entered_as_it_went_after_an_outage() -> None:
    desk = await asked_for()
    await act(desk, arrived, 90, lateReason=WHY, **SHOWN)
    await act(desk, checked, 80, lateReason=WHY, item=ITEMS, **SHOWN)
    await act(desk, started, 75, lateReason=WHY)
    await act(desk, finished, 60, lateReason=WHY)

    exam = await the_exam(desk)
    begun, ended = (desk.now - timedelta(minutes=ago) for ago in (75, 60))
    period = {name: exam["executionPeriod"][name][:16] for name in ("start", "end")}
    assert resources.state_of(exam) == "acquired"
    assert period == {"start": begun.isoformat()[:16], "end": ended.isoformat()[:16]}
    assert [note["text"] for note in exam["note"]] == [WHY[1]] and exam["note"][0]["authorReference"] == WHO[1]
    for item, ago in ((ARRIVAL, 90), (ITEM, 80), (DONE, 60)):
        record = recorded(desk, item)
        assert record["occurredDateTime"][:16] == (desk.now - timedelta(minutes=ago)).isoformat()[:16]
        assert record["recorded"][:16] == desk.now.isoformat()[:16], "when it was entered stands beside it"
        assert record["reason"][-1]["text"] == WHY[1]
    [entry] = (await arrivals(call(None), desk)).answer["parameter"]  # type: ignore[index]
    told = {part["name"]: part for part in entry["part"]}
    assert told["arrived"]["valueInstant"][:16] == (desk.now - timedelta(minutes=90)).isoformat()[:16]
    assert [part["valueString"] for part in entry["part"] if part["name"] == "kind"] == ["urn:hospital", "birth-date"]


async def test_what_is_entered_soon_after_needs_no_reason_and_what_is_entered_at_once_has_one_moment() -> None:
    desk = await asked_for()
    await act(desk, arrived, 29, **SHOWN)
    assert "occurredDateTime" in recorded(desk, ARRIVAL) and len(recorded(desk, ARRIVAL)["reason"]) == 2
    await act(desk, checked, item=ITEMS, **SHOWN)
    assert "occurredDateTime" not in recorded(desk, ITEM)


async def test_what_has_no_reason_is_still_to_come_or_stands_in_another_order_is_refused() -> None:
    desk = await asked_for()
    late = (422, "order.occurred-late")
    assert await refused(desk, arrived, 31, **SHOWN) == late
    assert await refused(desk, arrived, 31, lateReason=("String", "  "), **SHOWN) == late
    for odd in ("2026-03-02", "2026-03-02T10:00:00", "soon"):
        assert await refused(desk, arrived, occurred=("Instant", odd), **SHOWN) == (422, "order.occurred-moment")
    assert await refused(desk, arrived, -1, **SHOWN) == (422, "order.occurred-moment")
    await act(desk, arrived, 20, **SHOWN)
    assert await refused(desk, checked, 25, item=ITEMS, **SHOWN) == (409, "order.occurred-order")
    await act(desk, checked, 15, item=ITEMS, **SHOWN)
    await act(desk, started, 10)
    assert await refused(desk, finished, 12) == (409, "order.occurred-order")
    await act(desk, finished, 5)
