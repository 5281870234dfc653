"""A department whose ladders end at no staffed desk is told on the board of findings and beside its rosters."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import expect
from slipring_demo.cast import C

from tests.department.conftest import Enter, looked_at
from tests.department.morning import Morning, posted
from tests.support.server import Server

WORDS = {"zh": "尚未登记有人值守的值班台", "en": "No staffed desk is registered"}


@pytest.fixture
def no_desk(served: Server, morning: Morning) -> Iterator[None]:
    """As the service says it outside a demo; done once the test is over."""
    task = {
        "resourceType": "Task",
        "status": "requested",
        "intent": "order",
        "code": {"coding": [{"system": f"{C}/CodeSystem/task-code", "code": "staffed-desk"}]},
    }
    with served.client() as http:
        kept = posted(http, task)
    yield
    with served.client() as http:
        version = {"If-Match": f'W/"{kept["meta"]["versionId"]}"'}
        done = http.put(f"/fhir/Task/{kept['id']}", json=kept | {"status": "completed"}, headers=version)
        done.raise_for_status()


@pytest.mark.clause("5.9.1")
@pytest.mark.parametrize(("language", "size"), [("zh", "phone"), ("en", "desktop")])
def test_the_open_end_is_said_on_the_board_and_beside_the_rosters(
    enter: Enter, no_desk: None, language: str, size: str
) -> None:
    page = enter("chief", "/alerts", language, size)
    expect(page.get_by_role("alert").filter(has_text=WORDS[language])).to_be_visible()
    looked_at(page, f"no-desk-{language}-{size}")
    page.goto("/alerts/roster")
    expect(page.get_by_role("alert").filter(has_text=WORDS[language])).to_be_visible()
    looked_at(page, f"no-desk-roster-{language}-{size}")
