"""Odd addresses, a second press, two people at once, another role: a clear answer, nothing lost, nothing hidden."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from datetime import timedelta
from html import unescape

import httpx
import pytest
from slipring.runtime.clock import utc_now

from tests.department.morning import PASSWORD, Morning, a_patient, a_request
from tests.people.conftest import token_in
from tests.support.server import Server

HEAD = ("30799-1", "CT head", "69536005", "Head")
RUBBISH = (
    "",
    "x",
    "-1",
    "9" * 40,
    "' OR 1=1",
    "<script>",
    "2026-13-45",
    "0001-01-01",
    "\x00",
    "stat.x",
    "routine._position=abc",
)


class Browser(httpx.Client):
    """Somebody's browser without script."""

    def sent(self, shown: str, address: str = "", **fields: str) -> httpx.Response:
        """Open a page and send a form of it."""
        page = self.get(shown, follow_redirects=True)
        return self.post(address or shown, data={"form_token": token_in(page.text), **fields})


@pytest.fixture(scope="module")
def people(morning: Morning) -> Iterator[dict[str, Browser]]:
    """Everybody, signed in."""
    found = {}
    for name in ("desk", "tech", "reader", "ward", "chief", "admin"):
        found[name] = Browser(base_url=morning.url, headers={"accept-language": "en"}, timeout=60, trust_env=False)
        assert found[name].sent("/auth/sign-in", name=name, password=PASSWORD, to="/department").status_code == 303
    yield found
    for browser in found.values():
        browser.close()


def order_of(page: str) -> list[str]:
    """The imaging numbers of a list, in its order."""
    return re.findall(r"data-row>(CT\d{14})</a>", page)


def marked(page: str, name: str = "seen") -> str:
    """What a form was made from."""
    found = re.search(rf'name="{name}" value="([^"]*)"', page)
    assert found, page
    return unescape(found[1])


@pytest.mark.clause("5.4.4.1")
def test_of_many_requests_none_is_left_out_and_the_green_channel_stands_first(
    served: Server, morning: Morning, people: dict[str, Browser]
) -> None:
    ordered, last = [], ""
    with served.client() as http:
        for number in range(60):
            patient = http.post("/fhir/Patient", json=a_patient(f"众{number}", "1961-02-03", "male")).json()
            request = a_request(f"Patient/{patient['id']}", morning.staff["requester"], *HEAD)
            request["priority"] = "stat" if number == 59 else "routine"
            headers = {"Prefer": "return=representation"}
            made = http.post("/fhir/ServiceRequest", json=request, headers=headers).raise_for_status().json()
            last = next(i["value"] for i in made["identifier"] if i["system"].endswith("imaging-number"))
            ordered.append(last)
    first = people["reader"].get("/department/requests").text
    following = re.search(r'href="(/department/requests\?after=[^"]+)"', first)
    assert following and "are on this page" in first
    assert order_of(first).index(last) < order_of(first).index(ordered[0]), "who came last, but in the green channel"
    shown = order_of(first)
    while following:
        page = people["reader"].get(unescape(following[1])).text
        assert "of the green channel stand on the first page" in page
        shown += order_of(page)
        following = re.search(r'href="(/department/requests\?after=[^"]+)"', page)
    assert set(ordered) <= set(shown)
    only = people["reader"].get("/department/requests?priority=stat").text
    assert last in order_of(only) and ordered[0] not in order_of(only)


def test_no_address_and_no_role_ends_in_a_fault(morning: Morning, people: dict[str, Browser]) -> None:
    one = morning.requests["云"]["id"]
    pages = ("requests", "day", "worklist", "people", f"exams/{one}", "live", f"requests/{one}/preparation")
    for who, browser in people.items():
        for page in (*pages, "reception", "downtime", f"requests/{one}", f"reception/{one}", f"reception/{one}/slip"):
            assert browser.get(f"/department/{page}").status_code in (200, 204, 303, 403), (who, page)
    names = ("state", "priority", "on", "booked", "scanner", "after", "of", "within", "since", "lang", "page")
    for rubbish in RUBBISH:
        for page in pages[:4]:
            answer = people["tech"].get(f"/department/{page}", params=dict.fromkeys(names, rubbish))
            assert answer.status_code < 500, (page, rubbish)
    for odd in ("o-none", "%3Cx%3E", "'", "a" * 300, "$decide"):
        for page in ("requests/", "exams/", "reception/", "scanners/"):
            assert people["tech"].get(f"/department/{page}{odd}").status_code == 404, (page, odd)


def test_two_physicians_decide_at_once_and_the_second_is_told(
    served: Server, morning: Morning, people: dict[str, Browser]
) -> None:
    with served.client() as http:
        patient = http.post("/fhir/Patient", json=a_patient("<b>冲突</b>", "1990-05-06", "male")).json()
        request = a_request(f"Patient/{patient['id']}", morning.staff["requester"], *HEAD)
        one = http.post("/fhir/ServiceRequest", json=request, headers={"Prefer": "return=representation"}).json()["id"]
    address = f"/department/requests/{one}/decision"
    page = people["chief"].get(address)
    assert "&lt;b&gt;" in page.text and "<b>冲突" not in page.text
    form = {"form_token": token_in(page.text), "seen": marked(page.text), "decision": "rejected"}
    first = people["reader"].sent(address, decision="ask", reason="data-needed", note="which side? <i>")
    assert first.status_code == 303
    second = people["chief"].post(address, data={**form, "reason": "not-indicated", "note": "typed at length"})
    assert second.status_code == 409
    assert "This changed while the form was open" in second.text and "typed at length" in second.text
    again = {**form, "form_token": token_in(second.text), "seen": marked(second.text), "reason": "not-indicated"}
    assert people["chief"].post(address, data=again).status_code == 303
    assert "<i>" not in people["chief"].get(f"/department/requests/{one}").text


def test_a_form_that_is_sent_twice_books_once(served: Server, morning: Morning, people: dict[str, Browser]) -> None:
    with served.client() as http:
        patient = http.post("/fhir/Patient", json=a_patient("双击", "1961-02-03", "male")).json()
        request = a_request(f"Patient/{patient['id']}", morning.staff["requester"], *HEAD)
        one = http.post("/fhir/ServiceRequest", json=request, headers={"Prefer": "return=representation"}).json()["id"]
    address = f"/department/exams/{one}"
    today = utc_now().date()
    wednesday = (today + timedelta(days=9 - today.weekday())).isoformat()
    page = people["tech"].get(f"{address}?on={wednesday}").text
    offered = [unescape(value) for value in re.findall(r'<option value="([^"|]+\|[^"]+)"', page)]
    assert offered, "the free times of that day"
    form = {"form_token": token_in(page), "seen": marked(page), "slot": offered[3], "on": wednesday}
    first = people["tech"].post(f"{address}/booking", data=form)
    assert first.status_code == 303, first.text
    twice = people["tech"].post(f"{address}/booking", data=form)
    assert twice.status_code == 409 and "Nothing was done" in twice.text
    booked = people["tech"].get(f"{address}?on={wednesday}").text
    assert offered[3] not in [unescape(v) for v in re.findall(r'<option value="([^"]+)"', booked)]
    moved = {"form_token": token_in(booked), "seen": marked(booked), "slot": offered[5]}
    assert people["tech"].post(f"{address}/booking", data=moved).status_code == 303


@pytest.mark.clause("5.4.4.2")
def test_preparation_is_read_and_printed_for_patient_and_ward_in_both_languages(
    morning: Morning, people: dict[str, Browser]
) -> None:
    address = f"/department/requests/{morning.requests['云']['id']}/preparation"
    english = people["ward"].get(address).text
    assert "For the patient" in english and "For the ward" in english and "Practise breathing in" in english
    chinese = people["ward"].get(f"{address}?view=patient", headers={"accept-language": "zh-CN"}).text
    assert "请练习听口令吸气后屏气" in chinese and "病区须知" not in chinese


def test_a_scanner_is_taken_out_of_service_with_a_reason_and_comes_back(
    served: Server, morning: Morning, people: dict[str, Browser]
) -> None:
    scanner = morning.scanners["CT 2"]["id"]
    address = f"/department/scanners/{scanner}"
    before = people["desk"].get("/department/day").text.count("out of service")  # another one may be
    assert people["desk"].sent(address, state="out-of-service", reason="x", seen="1").status_code == 403
    page = people["tech"].get(address).text
    form = {"form_token": token_in(page), "seen": marked(page), "state": "out-of-service"}
    assert people["tech"].post(address, data=form).status_code == 422, "why?"
    said = f"球管故障 <u>{uuid.uuid4().hex[:6]}</u>"
    try:
        assert people["tech"].post(address, data={**form, "reason": said}).status_code == 303
        twice = people["tech"].post(address, data={**form, "reason": said})
        assert (twice.status_code, twice.headers["location"]) == (303, "/department/day"), "it stands as wanted"
        day = people["desk"].get("/department/day").text
        assert said not in day and said in unescape(day) and day.count("out of service") == before + 1
        with served.client() as http:
            device = http.get(f"/fhir/Device/{scanner}").json()
            assert device["note"][-1]["authorReference"]["reference"] == morning.staff["technologist"]
            assert [note["text"] for note in device["note"]].count(said) == 1
            assert http.post(f"/fhir/Device/{scanner}/$slots").json().get("parameter", []) == []
    finally:
        back = people["tech"].get(address).text
        again = {"form_token": token_in(back), "seen": marked(back), "state": "in-service", "reason": "球管已更换"}
        assert people["tech"].post(address, data=again).status_code == 303
    late = people["tech"].post(address, data={**form, "reason": said})
    assert late.status_code == 409 and "This changed while the form was open" in late.text, "from what was seen"
    assert marked(late.text, "state") == "out-of-service" and f"{said}</textarea>" not in unescape(late.text)
    assert people["desk"].get("/department/day").text.count("out of service") == before


def test_the_downtime_kit_is_a_file_with_reserved_numbers(people: dict[str, Browser]) -> None:
    desk = people["desk"]
    assert desk.sent("/department/downtime", count="0").status_code == 422
    assert 'aria-invalid="true"' in desk.sent("/department/downtime", count="x").text
    kit = desk.sent("/department/downtime", count="3")
    assert kit.status_code == 200 and "attachment" in kit.headers["content-disposition"]
    numbers = re.findall(r'class="number">(CT\d{14})<', kit.text)
    assert len(set(numbers)) == 3
    assert f"{numbers[0]} – {numbers[-1]}" in desk.get("/department/downtime").text
