"""People who come for a CT with contrast: nothing asked yet, all answered, in the green channel."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import httpx

from tests.department.morning import Morning, a_patient, a_request, posted
from tests.support.server import Server

CONTRAST_CHEST = ("24628-0", "CT chest with contrast", "816094009", "Chest")


@dataclass
class ContrastMorning:
    """Patients and requests by the patient's name, beside the rest of the morning."""

    served: Server
    morning: Morning

    def exam(self, who: str) -> str:
        """The id of somebody's request."""
        return str(self.morning.requests[who]["id"])

    def comes(self, who: str, born: str = "1962-03-04", sex: str = "female") -> str:
        """Somebody is ordered a contrast CT in the green channel, and consent has seen it; the request's id."""
        with self.served.client() as http:
            self.morning.patients[who] = posted(http, a_patient(who, born, sex))
            patient = f"Patient/{self.morning.patients[who]['id']}"
            request = a_request(patient, self.morning.staff["requester"], *CONTRAST_CHEST) | {"priority": "stat"}
            self.morning.requests[who] = posted(http, request)
            until_found(http, f"Task?code=screening&focus=ServiceRequest/{self.exam(who)}")
        return self.exam(who)


def a_contrast_morning(served: Server, morning: Morning) -> ContrastMorning:
    """One who waits to be asked."""
    contrast = ContrastMorning(served, morning)
    contrast.comes("梅")
    return contrast


def until_found(http: httpx.Client, query: str, *, seconds: float = 60) -> list[dict[str, Any]]:
    """What a search finds, once it finds something."""
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        entries = http.get(f"/fhir/{query}").raise_for_status().json().get("entry", [])
        if entries:
            return [entry["resource"] for entry in entries]
        time.sleep(0.2)
    raise AssertionError(f"nothing is found by {query}")
