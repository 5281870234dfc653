"""The observation board: who is watched, how long is left, one tap to release, and what a wall may show."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.department.bedside.contrast_morning import ContrastMorning, until_found
from tests.department.conftest import Enter, looked_at
from tests.department.morning import posted

ATC = "http://www.whocc.no/atc"
OBSERVER = "https://slipring.example/fhir/CodeSystem/administration-function"


def ml(value: int) -> dict[str, Any]:
    return {"value": value, "unit": "mL", "system": "http://unitsofmeasure.org", "code": "mL"}


def injected(
    contrast: ContrastMorning, who: str, *, minutes_ago: int, again: bool = False, **more: Any
) -> dict[str, Any]:
    """Contrast was given so long ago, by hand; the observation that has begun. `again`: of the same exam."""
    exam = contrast.exam(who) if again else contrast.comes(who)
    nurse = {"reference": contrast.morning.staff["nurse"]}
    given = {
        "resourceType": "MedicationAdministration",
        "status": "completed",
        "medicationCodeableConcept": {"coding": [{"system": ATC, "code": "V08AB02"}]},
        "subject": {"reference": f"Patient/{contrast.morning.patients[who]['id']}"},
        "supportingInformation": [{"reference": f"ServiceRequest/{exam}"}],
        "effectiveDateTime": (datetime.now(UTC) - timedelta(minutes=minutes_ago)).isoformat(timespec="seconds"),
        "statusReason": [{"text": "by hand"}],
        "performer": [
            {"actor": nurse},
            {"actor": nurse, "function": {"coding": [{"system": OBSERVER, "code": "observer"}]}},
        ],
        **more,
    }
    with contrast.served.client("system/*.cruds slipring/record-late") as http:
        made = posted(http, given)
        [task] = until_found(http, f"Task?code=observation&focus=MedicationAdministration/{made['id']}")
    return task


@pytest.mark.clause("5.4.4.1")
def test_a_nurse_sees_who_is_watched_takes_vital_signs_and_releases_by_one_tap(
    contrast: ContrastMorning, enter: Enter
) -> None:
    running = injected(contrast, "桂", minutes_ago=20)
    injected(contrast, "榆", minutes_ago=62)
    page = enter("bedside", "/bedside/board", "en", "tablet")
    row = page.get_by_role("listitem").filter(has_text=contrast.morning.number("桂"))
    expect(row).to_contain_text(contrast.morning.card("桂"))
    expect(row.locator(".countdown")).to_contain_text(re.compile(r"● 39:\d\d left|● 40:00 left"))
    over = page.get_by_role("listitem").filter(has_text=contrast.morning.number("榆"))
    expect(over.locator(".countdown")).to_contain_text(re.compile(r"▲ over since \d:\d\d"))
    expect(row.get_by_text("an earlier reaction to contrast, or nobody knows")).to_be_visible()
    expect(over.get_by_role("link", name=re.compile("Reaction"))).to_have_attribute(
        "href", re.compile("/bedside/exams/.+/reaction")
    )
    looked_at(page, "board-en")

    row.get_by_role("button", name=re.compile("Release")).click()
    expect(page.get_by_role("alert").filter(has_text="min left")).to_be_visible()
    page.get_by_role("textbox", name="Systolic, mmHg").fill("1２4")
    page.get_by_role("textbox", name="Diastolic").fill("9999")
    page.get_by_role("button", name="Record the vital signs").click()
    expect(page.locator("#diastolic-problem")).to_contain_text("Check this value.")
    page.get_by_role("textbox", name="Diastolic").fill("78")
    page.get_by_role("textbox", name="SpO₂").fill("98")
    looked_at(page, "board-observation-en")
    page.get_by_role("button", name="Record the vital signs").click()
    expect(row).to_contain_text("Systolic 124 mmHg · Diastolic 78 mmHg · SpO₂ 98 %")

    over.get_by_role("button", name=re.compile("Release")).click()
    expect(page.get_by_role("heading", name="What the patient is told")).to_be_visible()
    expect(page.get_by_text("Drink plenty of water today")).to_be_visible()
    looked_at(page, "board-released-en")
    page.get_by_role("link", name="Back to the board").click()
    expect(page.get_by_role("heading", name="Observation board")).to_be_visible()
    expect(page.get_by_text(contrast.morning.number("榆"))).to_have_count(0)
    with contrast.served.client() as http:
        kept = http.get(f"/fhir/Task/{running['id']}").json()
    assert kept["status"] == "in-progress"


@pytest.mark.clause("5.4.4.1")
def test_two_injections_of_one_exam_are_told_apart_on_the_board_and_in_the_reaction(
    contrast: ContrastMorning, enter: Enter
) -> None:
    first = injected(contrast, "杉", minutes_ago=25, dosage={"dose": ml(80)})
    injected(contrast, "杉", minutes_ago=12, again=True, dosage={"dose": ml(20)})
    page = enter("bedside", "/bedside/board", "en", "tablet")
    rows = page.get_by_role("listitem").filter(has_text=contrast.morning.number("杉"))
    expect(rows).to_have_count(2)
    expect(rows.filter(has_text="iohexol 20 ml (no. 2)")).to_have_count(1)
    earlier = rows.filter(has_text=re.compile(r"iohexol 80 ml(?! \(no)"))
    looked_at(page, "board-two-injections-en")
    earlier.get_by_role("link", name=re.compile("Reaction")).click()
    expect(page.get_by_role("radio", name=re.compile("80 mL"))).to_be_checked()
    expect(page.get_by_role("radio", name=re.compile("20 mL"))).not_to_be_checked()
    looked_at(page, "board-which-injection-en")
    page.get_by_role("button", name="mild", exact=True).click()
    page.wait_for_url("**/bedside/reactions/*")
    expect(page.get_by_text(re.compile("after .* iohexol 80 ml"))).to_be_visible()
    with contrast.served.client() as http:
        kept = http.get(f"/fhir/AdverseEvent/{page.url.rpartition('/')[2]}").json()
    assert kept["suspectEntity"][0]["instance"]["reference"] == first["focus"]["reference"]


def test_a_patient_who_leaves_against_advice_is_recorded_as_such_in_chinese(
    contrast: ContrastMorning, enter: Enter
) -> None:
    task = injected(contrast, "柳", minutes_ago=5)
    page = enter("bedside", f"/bedside/observations/{task['id']}", "zh", "tablet")
    page.get_by_role("radio", name="不听劝告提前离开").check()
    page.get_by_role("button", name=re.compile("结束")).click()
    expect(page.locator("#reason-problem")).to_contain_text("编码的原因")
    looked_at(page, "board-early-zh")
    page.get_by_role("radio", name="拒绝继续等候").check()
    page.get_by_role("radio", name="已拔除").check()
    page.get_by_role("button", name=re.compile("结束")).click()
    expect(page.get_by_role("heading", name="离开须知")).to_be_visible()
    with contrast.served.client() as http:
        kept = http.get(f"/fhir/Task/{task['id']}").json()
    assert kept["businessStatus"]["coding"][0]["code"] == "left-early"
    assert kept["owner"]["reference"] == contrast.morning.staff["nurse"]


def test_a_wall_shows_initials_and_the_tail_of_the_number_and_nothing_to_do(
    contrast: ContrastMorning, enter: Enter
) -> None:
    injected(contrast, "槐", minutes_ago=1)
    page = enter("bedside", "/bedside/board", "zh", "desktop")
    page.get_by_role("link", name="大屏视图").click()
    number = contrast.morning.number("槐")
    expect(page.get_by_text(f"…{number[-4:]}")).to_be_visible()
    expect(page.get_by_text(number, exact=True)).to_have_count(0)
    expect(page.get_by_text(contrast.morning.card("槐"))).to_have_count(0)
    expect(page.get_by_role("button", name=re.compile("解除"))).to_have_count(0)
    looked_at(page, "board-wall-zh")
    lost = page.get_by_text("连接已断开")
    page.route("**/bedside/live*", lambda call: call.abort())
    expect(lost).to_be_visible(timeout=60_000)
    page.unroute("**/bedside/live*")
    expect(lost).to_be_hidden(timeout=60_000)


@pytest.mark.clause("4.13")
def test_the_rates_are_a_picture_whose_points_lead_to_their_cases(contrast: ContrastMorning, enter: Enter) -> None:
    task = injected(contrast, "椿", minutes_ago=30)
    reaction = {
        "resourceType": "AdverseEvent",
        "actuality": "actual",
        "subject": task["for"],
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "suspectEntity": [{"instance": task["focus"]}],
    }
    with contrast.served.client() as http:
        event = posted(http, reaction)
    page = enter("bedside", "/bedside/reaction-rates", "en", "tablet")
    point = page.get_by_role("link", name=re.compile(r"iohexol V08AB02 [1-9]\d*.\d+"))
    expect(point).to_be_visible()
    looked_at(page, "rates-en")
    point.click()
    expect(page).to_have_url(re.compile("#group-1"))
    expect(page.locator("#group-1")).to_contain_text("95 % interval")
    expect(page.locator("#group-1")).to_contain_text(re.compile(r"Began after the injection: acute [1-9]"))
    expect(page.get_by_text(re.compile(r"acute: within 60 min \(ESUR 10.*late: within 168 h"))).to_be_visible()
    expect(page.locator(f"#group-1 a[href='/bedside/reactions/{event['id']}']")).to_be_visible()
    page.get_by_label("From").fill("2020-01-01")
    page.get_by_label("To").fill("2020-02-01")
    page.get_by_role("button", name="Show").click()
    expect(page.get_by_text("No contrast was given in this period")).to_be_visible()
    page.get_by_label("From").fill("2010-01-01")
    page.get_by_role("button", name="Show").click()
    expect(page.get_by_role("alert")).to_contain_text("three years at most")
