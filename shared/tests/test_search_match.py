"""How rows meet values in memory; `test_search_sql.py` holds SQL to the same."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl

import pytest
from slipring.fhir.search.criteria import parse
from slipring.fhir.search.index import rows
from slipring.fhir.search.match import matches

TASK: dict[str, Any] = {
    "resourceType": "Task",
    "id": "o-1",
    "meta": {"lastUpdated": "2026-02-03T04:05:06.123456Z"},
    "status": "requested",
    "code": {"coding": [{"system": "urn:task-code", "code": "exam"}]},
    "focus": {"reference": "ServiceRequest/o-2"},
    "for": {"reference": "Patient/p"},
    "executionPeriod": {"start": "2026-02-03", "end": "2026-02-05"},
}


def found(query: str, resource: dict[str, Any] = TASK) -> bool:
    resource_type, _, text = query.partition("?")
    return matches(parse(resource_type, parse_qsl(text, keep_blank_values=True)), rows(resource), resource)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("Task", True),
        ("Observation", False),
        ("Task?code=exam", True),
        ("Task?code=urn:other|exam", False),
        ("Task?code=|exam", False),
        ("Task?code=urn:task-code|", True),
        ("Task?code:not=exam", False),
        ("Task?code:not=screening,follow-up", True),
        ("Task?owner:missing=true", True),
        ("Task?code:missing=true", False),
        ("Task?code=exam&status=draft", False),
        ("Task?focus=ServiceRequest/o-2&code=exam", True),
        ("Task?focus=o-2", True),
        ("Task?focus=Task/o-2", False),
        ("Task?focus:Task=o-2", False),
        ("Task?patient=p", True),
        ("Task?_id=o-1,o-9", True),
        ("Task?_id=o-9", False),
        ("Task?_lastUpdated=2026-02-03", True),
        ("Task?_lastUpdated=lt2026-02-03", False),
        ("Task?_lastUpdated=gt2026-02-03T04:05:06.123Z", False),
    ],
)
def test_a_task_is_found_by_what_it_says(query: str, expected: bool) -> None:
    assert found(query) is expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("eq2026-02", True),  # the row lies inside the month
        ("eq2026-02-04", False),  # it only covers that day
        ("ne2026-02-04", True),
        ("ne2026", False),
        ("gt2026-02-04", True),
        ("gt2026-02-05", False),
        ("ge2026-02-04", True),
        ("ge2026-02-05", False),  # R4: it neither reaches beyond that day nor lies inside it
        ("ge2026-02-06", False),
        ("lt2026-02-03", False),
        ("lt2026-02-04", True),
        ("le2026-02-04", True),
        ("le2026-02-03", False),
        ("le2026-02-02", False),
        ("sa2026-02-02", True),
        ("sa2026-02-03", False),
        ("eb2026-02-06", True),
        ("eb2026-02-05", False),
        ("ap2026-02-06", True),  # a day either side of the day
        ("ap2026-02-07", False),
    ],
)
def test_a_prefix_says_how_the_period_lies_to_the_date(value: str, expected: bool) -> None:
    assert found(f"Task?period={value}") is expected


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("Patient?family=mul", True),
        ("Patient?family=ler", False),
        ("Patient?family:contains=LLE", True),
        ("Patient?family:exact=muller", False),
        ("Patient?family:exact=M%C3%BCller", True),
        ("Patient?name=%E5%BC%A0", True),
        ("Patient?name=%E4%BC%9F", False),
    ],
)
def test_a_name_is_found_from_its_start_unless_told_otherwise(query: str, expected: bool) -> None:
    name = [{"family": "Müller"}, {"text": "张伟"}]
    assert found(query, {"resourceType": "Patient", "name": name}) is expected
