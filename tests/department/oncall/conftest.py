"""Who keeps the directory."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from slipring_demo.cast import C

from tests.department.bedside.contrast_morning import until_found
from tests.department.morning import Morning, posted
from tests.support.server import Server


@pytest.fixture
def keeper(served: Server, morning: Morning) -> Iterator[None]:
    """The second reader keeps the directory, as long as the test lasts."""
    role = {
        "resourceType": "PractitionerRole",
        "active": True,
        "practitioner": {"reference": morning.staff["second reader"]},
        "code": [{"coding": [{"system": f"{C}/CodeSystem/staff-role", "code": "technical-lead"}]}],
    }
    with served.client() as http:
        kept = posted(http, role)
        until_found(http, f"PractitionerRole?_id={kept['id']}")
    yield
    with served.client() as http:
        http.delete(f"/fhir/PractitionerRole/{kept['id']}").raise_for_status()
