"""Reports in the department's reading room, each standing differently."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tests.department.bedside.contrast_morning import until_found
from tests.department.morning import Morning, a_patient, order, posted
from tests.support.server import Server

Comes = Callable[..., str]


@pytest.fixture(scope="session")
def comes(served: Server, morning: Morning) -> Comes:
    """Somebody is ordered a CT that the reading room knows of; the request's id."""

    def coming(who: str, **members: Any) -> str:
        with served.client() as http:
            morning.patients[who] = posted(http, a_patient(who, "1961-02-03", "female"))
            request = order(http, morning, who, "24627-2", "CT chest", "816094009", "Chest", **members)
            until_found(http, f"Task?code=exam&focus=ServiceRequest/{request['id']}")
        return str(request["id"])

    return coming


@pytest.fixture
def department(served: Server) -> Any:
    """The department's own system, which sees drafts."""
    with served.department() as http:
        yield http


def report_of(http: httpx.Client, exam: str) -> dict[str, Any]:
    """The report of an exam, once there is one."""
    [found] = until_found(http, f"DiagnosticReport?based-on=ServiceRequest/{exam}")
    return found


def text_of(http: httpx.Client, report: dict[str, Any]) -> dict[str, Any]:
    """Its Composition."""
    [named] = [one["valueReference"]["reference"] for one in report["extension"] if "valueReference" in one]
    found: dict[str, Any] = http.get(f"/fhir/{named}").raise_for_status().json()
    return found
