"""Order's verdict on accounts: whoever had left by the end of the period could sign in no more (CL02-A011:5.10.1)."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any, cast

import pytest
from slipring.fhir.service import Desk, OpenAccount
from slipring.verdicts.looking import Look
from slipring.verdicts.period import Period
from slipring_order.clauses.accounts import accounts
from slipring_order.settings import OrderSettings

from tests.support.desk import ADesk
from tests.support.ordering import NOW

_END = datetime(2026, 2, 28, 15, 59, 59, tzinfo=NOW.tzinfo)  # of February in Shanghai


def a_member(name: str, **post: Any) -> list[dict[str, Any]]:
    person = {"resourceType": "Practitioner", "id": f"o-{name}"}
    role = {"resourceType": "PractitionerRole", "id": f"o-{name}-role"}
    return [person, role | {"practitioner": {"reference": f"Practitioner/o-{name}"}, **post}]


@pytest.mark.clause("5.10.1")
async def test_of_the_accounts_open_at_the_end_of_the_period_those_of_who_had_left_are_named() -> None:
    there = [*a_member("works"), *a_member("left", period={"end": "2026-02-10"})]
    there += [*a_member("leaves-next", period={"end": "2026-03-01"}), *a_member("late", period={"end": "2026-02-11"})]
    desk = ADesk(now=NOW, holding=there, settings=OrderSettings())
    desk.accounts = [
        OpenAccount(f"Practitioner/o-{name}", _END - timedelta(days=40 - opened))
        for name, opened in (("works", 0), ("left", 0), ("left", 1), ("leaves-next", 0), ("late", 41))
    ]
    february = Look(cast("Desk", desk), Period(date(2026, 2, 1), date(2026, 2, 28)), NOW, desk.settings.zone)
    judged = await accounts(february, [])
    assert [(one.reference, one.how.en) for one in judged.breaches] == [
        ("Practitioner/o-left", "has left, and can still sign in")
    ]
    assert judged.population == len(judged.inputs) == 4
