"""A month of a department in figures: asked, walked back to its cases, closed for good, and the same when reckoned again (4.14.7)."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tests.support.department import Department
from tests.support.one_exam import one_exam

C = "https://slipring.example/fhir"
Tree = dict[str, Any]


def response(kind: str, points: list[int], *, complaint: str = "") -> Tree:
    links = {
        "patient": ["waiting", "explained", "staff", "privacy", "surroundings", "report"],
        "clinician": ["appointment", "in-time", "quality", "critical", "advice"],
    }[kind]
    items = [{"linkId": link, "answer": [{"valueInteger": n}]} for link, n in zip(links, points, strict=False)]
    said = [{"linkId": "complaint", "answer": [{"valueString": complaint}]}] if complaint else []
    return {
        "resourceType": "QuestionnaireResponse",
        "questionnaire": f"{C}/Questionnaire/satisfaction-{kind}",
        "status": "completed",
        "item": [*items, *said],
    }


def asked(start: date, end: date, **more: tuple[str, Any]) -> Tree:
    return given(periodStart=("Date", str(start)), periodEnd=("Date", str(end)), **more)


def given(**values: tuple[str, Any]) -> Tree:
    parameters = [{"name": name, f"value{kind}": value} for name, (kind, value) in values.items()]
    return {"resourceType": "Parameters", "parameter": parameters}


def counts(report: Tree) -> dict[str, int]:
    [group] = report["group"]
    return {one["code"]["coding"][0]["code"]: one["count"] for one in group["population"]}


def part(element: Tree, name: str) -> Any:
    [found] = [one for one in element["extension"] if one["url"].endswith(f"/{name}")]
    return found.get("valueString") or {
        each["url"]: next(v for k, v in each.items() if k != "url") for each in found["extension"]
    }


def listed(report: Tree) -> list[str]:
    return sorted(entry["item"]["reference"] for each in report["contained"] for entry in each.get("entry", []))


@pytest.mark.clause("4.14.7")
@pytest.mark.clause("4.8")
async def test_a_figure_leads_to_its_cases_and_stays_once_its_period_is_closed(department: Department) -> None:
    await department.fresh()
    now = department.clock.now()
    first, last = now.date() - timedelta(days=1), now.date() + timedelta(days=1)
    authored = {"authored": now.isoformat(timespec="seconds")}
    made = [
        await department.post("QuestionnaireResponse", response("patient", points, **more) | authored)
        for points, more in (
            ([5, 5, 4, 4, 5, 4], {}),
            ([2, 1, 3, 2, 1, 2], {"complaint": "waited three hours"}),
            ([5, 4], {}),  # a third of the questions: no valid questionnaire
        )
    ]
    assert [one.status_code for one in made] == [201] * 3, made[0].text
    beside = await department.post("QuestionnaireResponse", response("clinician", [5, 6, 4, 4, 4]) | authored)
    assert beside.status_code == 422 and "item[1]" in beside.text and "order.opinion-points" in beside.text
    [complaint] = await department.found(f"Task?focus=QuestionnaireResponse/{made[1].json()['id']}")
    assert complaint["code"]["coding"][0]["code"] == "complaint" and "waited" not in str(complaint)

    [measure] = await department.found(f"Measure?url={C}/Measure/patients-satisfied")
    address = f"Measure/{measure['id']}/$evaluate-measure"
    found = (await department.post(address, asked(first, last))).json()
    assert counts(found) == {"initial-population": 2, "denominator": 2, "denominator-exclusion": 0, "numerator": 1}
    assert float(found["group"][0]["measureScore"]["value"]) == 0.5
    assert [round(float(part(found["group"][0], "score-interval")[one]), 3) for one in ("low", "high")] == [
        0.095,
        0.905,
    ]
    assert part(found["group"][0], "indicator-target")["met"] is False
    names = {
        of: listed((await department.post(address, asked(first, last, reportType=("Code", "subject-list"), members=("Code", of)))).json())
        for of in ("numerator", "missed", "denominator")
    }  # fmt: skip
    good, bad = (f"QuestionnaireResponse/{one.json()['id']}" for one in made[:2])
    assert names == {"numerator": [good], "missed": [bad], "denominator": sorted([good, bad])}

    [handled] = await department.found(f"Measure?url={C}/Measure/complaints-handled")
    open_case = await department.post(
        f"Measure/{handled['id']}/$evaluate-measure",
        asked(first, last, reportType=("Code", "subject-list"), members=("Code", "missed")),
    )
    assert listed(open_case.json()) == [f"Task/{complaint['id']}"]

    close = f"Measure/{measure['id']}/$close-period"
    early = await department.post(close, asked(first, last))
    assert early.status_code == 422 and "measuring.period-open" in early.text
    await department.wait(days=3)
    closed = (await department.post(close, asked(first, last))).json()
    again = (await department.post(address, asked(first, last))).json()
    assert part(again, "inputs-hash") == part(closed, "inputs-hash") == part(found, "inputs-hash")
    late = response("patient", [1, 1, 1, 1, 1, 1]) | authored
    assert (await department.post("QuestionnaireResponse", late)).status_code == 201
    after = (await department.post(address, asked(first, last))).json()
    assert counts(after)["denominator"] == 3 and part(after, "inputs-hash") != part(closed, "inputs-hash")
    same = (await department.post(close, asked(first, last))).json()
    assert same["id"] == closed["id"] and counts(same)["denominator"] == 2
    for written in (closed | {"status": "error"}, measure | {"status": "retired"}):
        refused = await department.put(written)
        assert refused.status_code == 409 and "measuring." in refused.text


@pytest.mark.clause("4.14.7")
async def test_every_service_tells_its_indicators_and_refuses_what_cannot_be_told(department: Department) -> None:
    story = await one_exam(department)
    await story.requested()
    today = department.clock.now().date()
    month = asked(today - timedelta(days=30), today)
    told = {}
    for service in ("order", "consent", "report", "critical"):
        answer = await department.post(f"Measure/${service}-indicators", month)
        assert answer.status_code == 200, answer.text
        reports = [one["resource"] for one in answer.json()["parameter"]]
        told |= {one["group"][0]["id"]: one for one in reports}
    assert counts(told["error-rate"])["initial-population"] >= 1
    assert told.keys() >= {"scanner-availability", "positive-rate", "critical-in-10-minutes", "extravasation-rate"}
    assert "measureScore" not in told["critical-in-10-minutes"]["group"][0], "nothing counted is no figure"

    [measure] = await department.found(f"Measure?url={C}/Measure/error-rate")
    address = f"Measure/{measure['id']}/$evaluate-measure"
    wrong = {
        "measuring.period": asked(today, today - timedelta(days=1)),
        "measuring.period-ahead": asked(today + timedelta(days=2), today + timedelta(days=3)),
        "measuring.scope-not-told": asked(today, today, system=("Code", "B1")),
        "measuring.scope-reference": asked(today, today, scanner=("Reference", {"reference": "Patient/o-1"})),
        "measuring.unknown-choice": asked(today, today, per=("Code", "decade")),
        "measuring.scope-unknown": asked(today, today, scanner=("Reference", {"reference": "Device/o-nobody"})),
        "measuring.portion": asked(today, today, reportType=("Code", "subject-list"), count=("Integer", 0)),
    }
    for code, given in wrong.items():
        refused = await department.post(address, given)
        assert refused.status_code == 422 and code in refused.text, refused.text
    for service, scope in (("critical", ("Reference", {"reference": "Device/o-nobody"})), ("report", None)):
        part = {"scanner": scope} if scope else {"system": ("Code", "B9")}
        refused = await department.post(f"Measure/${service}-indicators", asked(today, today, **part))
        assert refused.status_code == 422 and "measuring." in refused.text, "no figure would read as none counted"


@pytest.mark.clause("4.14.7")
async def test_what_stores_nothing_is_asked_by_an_address_too(department: Department) -> None:
    story = await one_exam(department)
    await story.requested()
    today = department.clock.now().date()
    [measure] = await department.found(f"Measure?url={C}/Measure/error-rate")
    address, span = f"Measure/{measure['id']}/$evaluate-measure", f"periodStart={today}&periodEnd={today}"
    told = (await department.post(address, asked(today, today, count=("Integer", 5)))).json()
    by_address = await department.get(f"{address}?{span}&count=5&_pretty=true")
    assert by_address["group"] == told["group"] and counts(told)["initial-population"] >= 1
    clause = await department.get(f"Measure/$clause-check?clause=5.7.1&clause=4.14.7&{span}")
    assert {one["part"][0]["valueString"] for one in clause["parameter"] if one["name"] == "clause"} >= {"5.7.1"}
    batch = {"resourceType": "Bundle", "type": "batch"}
    batch["entry"] = [{"request": {"method": "GET", "url": f"{address}?{span}"}}]
    assert (await department.post("", batch)).json()["entry"][0]["resource"]["group"] == told["group"]

    for odd, status, detail in (
        (f"{address}?{span}&shoe=1", 400, "kernel.parameter-means-nothing"),
        (f"{address}?periodStart={today}", 400, '"expression":["periodEnd"]'),
        (f"{address}?{span}&count=many", 400, '"expression":["count"]'),
        (f"{address}?{span}&scanner=Device/o-nobody", 422, "measuring.scope-unknown"),
        (f"Measure/{measure['id']}/$close-period?{span}", 405, "kernel.not-offered-address"),
        ("Measure/$sample-evidence?case=1", 405, "kernel.not-offered-address"),  # it takes a key
    ):
        refused = await department.his.get(f"/fhir/{odd}")
        assert refused.status_code == status and detail in refused.text, (odd, refused.text)
        assert status != 405 or refused.headers["allow"] == "POST, OPTIONS"
    allowed = await department.his.request("OPTIONS", f"/fhir/{address}")
    assert allowed.headers["allow"] == "GET, HEAD, POST, OPTIONS"


@pytest.mark.clause("4.14.7")
async def test_a_target_of_the_department_judges_from_its_approval_on_in_whichever_service_counts(
    department: Department,
) -> None:
    story = await one_exam(department)
    await story.requested()
    await story.joined("head", "chief-physician", "ct-head")
    await story.joined("quality manager", "chief-physician", "quality-manager")
    await department.settle()
    head = await department.client_of("target-drafter", story.cast.staff["head"])
    manager = await department.client_of("target-approver", story.cast.staff["quality manager"])
    today = department.clock.now().astimezone(ZoneInfo("Asia/Shanghai")).date()
    wanted = {"value": ("Decimal", 0.25), "at": ("Code", "least"), "reason": ("String", "科务会决定")}
    # One of each service: of order, which keeps the staff, and of those that follow.
    for indicator in ("error-rate", "critical-in-10-minutes", "extravasation-rate", "reports-amended"):
        [measure] = await department.found(f"Measure?url={C}/Measure/{indicator}")
        address = f"Measure/{measure['id']}"

        async def judged(of: str = address) -> tuple[float, str]:
            report = (await department.post(f"{of}/$evaluate-measure", asked(today, today))).json()
            target = part(report["group"][0], "indicator-target")
            return float(target["value"]), target["source"]

        shipped = await judged()
        high = await department.post(f"{address}/$propose-target", given(**wanted | {"value": ("Decimal", 25)}), head)
        [issue] = high.json()["issue"]
        assert (high.status_code, issue["expression"]) == (422, ["Parameters.parameter[0]"])
        assert "目标值" in high.text and "A target" in high.text
        draft = (await department.post(f"{address}/$propose-target", given(**wanted), head)).json()
        approve = given(draft=("Reference", {"reference": f"Measure/{draft['id']}"}))
        own = await department.post(f"{address}/$approve-target", approve, head)
        assert own.status_code == 403 and "measuring.target-second-person" in own.text
        forged = await department.put({**draft, "status": "active"}, manager)
        assert forged.status_code == 409 and "measuring.target-by-operation" in forged.text
        assert await judged() == shipped
        approved = await department.post(f"{address}/$approve-target", approve, manager)
        assert approved.status_code == 200 and approved.json()["status"] == "active", approved.text
        assert await judged() == (0.25, "科务会决定")
        again = await department.post(f"{address}/$approve-target", approve, manager)
        assert again.status_code == 422 and "measuring.target" in again.text
        kept = await department.get(f"Measure/{draft['id']}/_history")
        assert [one["resource"]["status"] for one in kept["entry"]] == ["active", "draft"]
