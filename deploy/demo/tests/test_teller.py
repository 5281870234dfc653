"""The teller: one line for each exchange, patience where the server asks for it, and no step that quietly fails."""

from __future__ import annotations

import httpx
import pytest
from slipring_demo.teller import StepFailed, Teller, parameters, value_of


def a_teller(*answers: httpx.Response) -> tuple[Teller, list[httpx.Request]]:
    """A teller whose server gives these answers, and then the last one again."""
    asked: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return answers[min(len(asked), len(answers)) - 1]

    http = httpx.Client(transport=httpx.MockTransport(answer), base_url="http://front.test")
    return Teller(http), asked


def test_an_exchange_is_one_line_with_its_outcome(capsys: pytest.CaptureFixture[str]) -> None:
    teller, asked = a_teller(httpx.Response(201, json={"resourceType": "Patient", "id": "o-1"}))
    assert teller.created({"resourceType": "Patient"})["id"] == "o-1"
    said = capsys.readouterr().out
    assert said.count("\n") == 1 and "POST /fhir/Patient" in said and "201" in said and " ms" in said
    assert asked[0].headers["content-type"] == "application/fhir+json"


def test_another_status_than_expected_ends_the_story() -> None:
    teller, _ = a_teller(httpx.Response(201, json={}))
    with pytest.raises(StepFailed, match="201 instead of"):
        teller.ask("POST", "MedicationAdministration", {"resourceType": "MedicationAdministration"}, 422)


def test_it_comes_back_when_the_server_is_busy_but_not_for_ever() -> None:
    busy = httpx.Response(503, headers={"Retry-After": "0"})
    teller, asked = a_teller(busy, busy, httpx.Response(200, json={"id": "x"}))
    assert teller.ask("GET", "Patient/x") == {"id": "x"} and len(asked) == 3
    teller, asked = a_teller(busy)
    with pytest.raises(StepFailed, match="503"):
        teller.ask("GET", "Patient/x")
    assert len(asked) == 10


def test_waiting_looks_again_until_something_holds() -> None:
    def a_page(status: str) -> httpx.Response:
        return httpx.Response(200, json={"entry": [{"resource": {"id": "t", "status": status}}]})

    teller, asked = a_teller(httpx.Response(200, json={}), a_page("requested"), a_page("completed"))
    assert teller.wait_for("Task?x=1", "done", lambda task: task["status"] == "completed")["id"] == "t"
    assert len(asked) == 3
    with pytest.raises(StepFailed, match="never did not appear"):
        teller.wait_for("Task?x=1", "never", lambda task: False, seconds=0.2)


def test_a_claim_that_does_not_hold_ends_the_story() -> None:
    teller, _ = a_teller(httpx.Response(200))
    teller.must(True, "holds")
    with pytest.raises(StepFailed, match="does not"):
        teller.must([], "does not")


def test_parameters_leave_out_what_is_not_given_and_never_hold_an_empty_list() -> None:
    made = parameters(role=("Code", "author"), jws=("String", None))
    assert made["parameter"] == [{"name": "role", "valueCode": "author"}]
    assert value_of(made, "role") == "author" and value_of(made, "jws") is None
    assert parameters() == {"resourceType": "Parameters"}
