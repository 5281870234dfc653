"""A page of preparation says so when nothing is written for whom it is shown."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from slipring.department.exams import Exam
from slipring.department.preparing import PARTS, VIEWS, texts_in
from slipring.fhir.service import CANONICAL
from slipring.pages.frame import Pages
from starlette.requests import Request

PAGES = Pages(b"k" * 32, rooms=("slipring.pages", "slipring.department"))
EXAM = Exam({"id": "t"}, {"id": "r"})


def definition(view: str, part: str = "prepare") -> dict[str, object]:
    told = [{"url": "view", "valueCode": view}, {"url": "part", "valueCode": part}, {"url": "text", "valueString": "x"}]
    return {"extension": [{"url": f"{CANONICAL}/StructureDefinition/preparation", "extension": told}]}


def page(of: dict[str, object], views: list[str]) -> str:
    headers = [(b"host", b"front"), (b"accept-language", b"en")]
    request = Request(
        {"type": "http", "method": "GET", "path": "/", "query_string": b"", "headers": headers, "scheme": "http"}
    )
    shown = PAGES.page(
        request, "department/preparation.html", places=[], at="/", now=datetime(2026, 3, 2, tzinfo=UTC), exam=EXAM,
        booking=None, views=views, parts=PARTS, texts=texts_in(of), known=True,
    )  # fmt: skip
    return bytes(shown.body).decode()


@pytest.mark.parametrize("view", VIEWS)
def test_what_is_written_for_somebody_else_alone_leaves_no_page_without_a_word(view: str) -> None:
    other = next(one for one in VIEWS if one != view)
    empty = "Nothing is written for this reader"
    assert empty in page(definition(other), [view])
    assert empty not in page(definition(view), [view])
    assert empty not in page(definition(view), list(VIEWS))


def test_a_text_of_no_reader_or_part_is_none() -> None:
    for odd in (definition("porter"), definition("patient", "song")):
        assert "No preparation is written for this exam" in page(odd, list(VIEWS))
