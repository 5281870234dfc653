"""An open list shows what comes in by itself, and says within ten seconds that it is no longer current."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.department.conftest import Enter
from tests.department.morning import Morning, a_patient, a_request
from tests.support.server import Server


def test_an_open_list_keeps_itself_current_and_says_when_it_cannot(
    served: Server, morning: Morning, enter: Enter
) -> None:
    page = enter("reader", "/department/requests")
    with served.client() as http:
        patient = http.post("/fhir/Patient", json=a_patient("新", "1961-02-03", "male")).json()
        head = ("30799-1", "CT head", "69536005", "Head")
        request = a_request(f"Patient/{patient['id']}", morning.staff["requester"], *head) | {"priority": "stat"}
        http.post("/fhir/ServiceRequest", json=request).raise_for_status()
    expect(page.get_by_text("新虚构").first).to_be_visible(timeout=90_000)
    lost = page.get_by_text("The connection is lost.")
    expect(lost).to_be_hidden()
    page.route("**/department/live*", lambda call: call.abort())
    expect(lost).to_be_visible(timeout=60_000)
    page.unroute("**/department/live*")
    expect(lost).to_be_hidden(timeout=60_000)


def test_what_time_alone_makes_late_is_drawn_though_no_record_changed(morning: Morning, enter: Enter) -> None:
    page = enter("reader", "/department/requests")
    page.clock.install()
    page.reload()
    unchanged = {"status": 200, "headers": {"x-slipring-changed": "0"}, "body": "<span data-asof='x'>now</span>"}
    page.route("**/department/live*", lambda call: call.fulfill(**unchanged))
    drawn: list[str] = []
    page.on("request", lambda call: drawn.append(call.url) if call.url.endswith("/department/requests") else None)
    with page.expect_response("**/department/live?since=*"):
        page.clock.fast_forward(20_000)
    expect(page.locator("[data-asof=x]")).to_be_visible()
    assert drawn == [], "nothing changed, and it is fresh"
    with page.expect_request("**/department/requests"):
        page.clock.fast_forward(50_000)
        page.clock.run_for(20_000)
