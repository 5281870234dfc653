"""Every refusal has a stable code that docs/errors.md lists: in the source, and in what is really answered."""

from __future__ import annotations

import importlib
import re
import sys
from typing import Any

import pytest

from tests.architecture.tree import ROOT
from tests.fhir.place import Place

sys.path.insert(0, str(ROOT / "docs"))
refusals = importlib.import_module("refusals")
errors_page = importlib.import_module("errors_page")

_ROOMS = (
    "kernel|shape|invariant|profile|search|front|pages|department|bedside|reading|review|alerts|oncall|identity|staff|quality|measuring"
    "|order|consent|report|critical"
)


def listed() -> set[str]:
    return {refusal.code for refusal in refusals.collect().refusals}


def known(code: str) -> bool:
    """A listed code, or one that a listed pattern stands for (`staff.…`)."""
    patterns = (re.escape(entry).replace("…", ".+") for entry in listed())
    return any(re.fullmatch(pattern, code) for pattern in patterns)


def test_no_refusal_of_the_source_is_without_a_code_or_without_words() -> None:
    found = refusals.collect()
    assert found.strays == [], 'give it detail="room.what-is-wrong"'
    assert len(found.refusals) > 200
    for refusal in found.refusals:
        assert re.fullmatch(rf"({_ROOMS})\.[a-z0-9….-]+", refusal.code), refusal
        assert "…" in refusal.en or re.search(r"[A-Za-z]", refusal.en), refusal
        assert "…" in refusal.zh or re.search(r"[\u4e00-\u9fff]", refusal.zh), refusal


def test_a_refusal_without_a_code_would_be_found() -> None:
    import ast

    found = refusals.Found()
    call: Any = ast.parse('invalid("No.", "不。")').body[0]
    module = refusals._Module(ROOT / "x.py", ast.parse(""))
    refusals._read(call.value, None, module, [module], "", found)
    assert found.strays == ["x.py:1 has no detail code"]


def test_the_page_lists_every_code_and_both_languages() -> None:
    page = errors_page.errors_page()
    for refusal in refusals.collect().refusals:
        assert f"`{refusal.code}`" in page
        assert refusal.zh.replace("|", "\\|").replace("\n", " ").strip() in page


def test_every_advice_is_for_a_code_that_exists() -> None:
    import tomllib

    advice = tomllib.loads((ROOT / "docs" / "advice.toml").read_text(encoding="utf-8"))
    assert set(advice["code"]) - listed() == set()
    given = {status for refusal in refusals.collect().refusals for status in re.findall(r"\d{3}", refusal.status)}
    assert given - set(advice["status"]) == set()


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", "Patient", "{", 400),
        ("POST", "Patient", '{"resourceType": "Patient", "gender": "m"}', None),
        ("POST", "Patient", '{"resourceType": "Patient", "resourceType": "Patient"}', 400),
        ("POST", "Patient", '{"resourceType": "Observation"}', 400),
        ("POST", "Patient", "\ufeff{}", 400),
        ("GET", "Patient/o-nobody", None, 404),
        ("GET", "Basket/1", None, 404),
        ("GET", "Patient?colour=red", None, 400),
        ("GET", "Patient?birthdate=yesterday", None, 400),
        ("GET", "Patient?_count=many", None, 400),
        ("GET", "Patient/_history?_since=now", None, 400),
        ("PUT", "Patient/mine", '{"resourceType": "Patient", "id": "mine"}', None),
        ("PUT", "Patient/o-1", '{"resourceType": "Patient", "id": "o-2"}', 400),
        ("DELETE", "Patient/o-1/more", None, None),
        ("POST", "Patient/$nothing", '{"resourceType": "Parameters"}', 404),
        ("POST", "", '{"resourceType": "Bundle", "type": "searchset"}', 400),
        ("POST", "", '{"resourceType": "Bundle", "type": "transaction", "entry": [{}]}', 400),
        ("PATCH", "Patient/o-1", "[]", None),
    ],
)
async def test_what_is_answered_carries_a_code_of_the_catalogue(
    place: Place, method: str, path: str, body: str | None, status: int | None
) -> None:
    answer = await place.ask(method, path, body)
    assert 400 <= answer.status_code < 500, answer.text
    assert status in (None, answer.status_code), answer.text
    for issue in answer.json()["issue"]:
        code = issue["details"]["coding"][0]["code"]
        assert known(code), f"{code} is not in docs/errors.md"
