"""Critical's verdicts: a figure that nobody has confirmed fails nobody, and one that the department laid down waits for nobody."""

from __future__ import annotations

from typing import Any

import pytest
from slipring.fhir.service import Call
from slipring.verdicts.wire import said
from slipring_critical.clauses import judges
from slipring_critical.clauses.answering import CLAUSES

from tests.support.alerting import a_ladder, a_step
from tests.support.one_case import REQUESTER, RIGHT, rung
from tests.support.ringing import ARinging

pytestmark = pytest.mark.clause("5.9.1 b")


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SLIPRING_LADDER", "SLIPRING_ROUTE_CHECK"):
        monkeypatch.delenv(name, raising=False)


async def told_and_read_back(ringing: ARinging) -> tuple[str, list[str], list[str]]:
    """The check's verdict, the kinds of its exceptions, the figures that wait."""
    given = {"resourceType": "Parameters", "parameter": [{"name": "clause", "valueString": "5.9.1 b"}]}
    changes = await CLAUSES.told(Call(given), ringing.desk)
    assert changes.answer is not None
    [row] = [one for one in changes.answer["parameter"] if one["name"] == "clause"]
    checks: list[Any] = [one for one in row["part"] if one["name"] == "check"]
    [check] = [one for one in checks if said(one)["code"] == "told-and-read-back"]
    kinds = [said(one)["kind"] for one in check["part"] if one["name"] == "exception"]
    return (
        said(check)["verdict"],
        kinds,
        [one["valueString"] for one in check["part"] if one["name"] == "unconfirmed"],
    )


async def test_late_by_a_time_that_nobody_has_confirmed_is_asked_and_not_failed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ringing = await rung()
    await ringing.wait(11)
    assert (await told_and_read_back(ringing))[:2] == ("not-met", ["broken"]), "nobody was told at all"
    await ringing.call("acknowledge", receiver=REQUESTER, **RIGHT)
    verdict, kinds, waiting = await told_and_read_back(ringing)
    assert (verdict, kinds) == ("unconfirmed", ["unconfirmed"])
    assert "indicators.told-in-time" in waiting
    read = {"told-in-time": {"minutes": 10, "confidence": "S"}}
    monkeypatch.setattr(judges, "figures", lambda: read)
    assert (await told_and_read_back(ringing))[:2] == ("not-met", ["broken"]), "by a time that was read in its source"


async def test_a_ladder_that_the_department_laid_down_waits_for_nobody() -> None:
    ringing = await rung()
    assert "ladder.level-1" in (await told_and_read_back(ringing))[2]
    own = a_ladder(a_step("fallback"), level="1", status="active", effectivePeriod={"start": "2026-01-01"})
    await ringing.arrive({**own, "id": "c-own"})
    waiting = (await told_and_read_back(ringing))[2]
    assert "ladder.level-1" not in waiting and "ladder.level-2" in waiting
