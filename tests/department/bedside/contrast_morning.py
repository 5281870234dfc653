"""People who come for a CT with contrast: nothing asked yet, all answered, in the green channel."""

from __future__ import annotations

import asyncio
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import asyncpg
import httpx
from slipring.runtime.postgres import ensure_running
from slipring_demo.contrast import a_consent, a_screening, an_egfr
from slipring_demo.lots import a_delivery, a_lot, a_weight
from slipring_demo.scene import Cast

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

    def cleared(self, who: str) -> str:
        """Kidneys well, all questions answered harmlessly, consent given on paper; `Consent/id`."""
        of = self.morning
        cast = Cast(staff=of.staff, hospital="", ward="", patient=of.patients[who], request=of.requests[who])
        with self.served.client() as http:
            posted(http, an_egfr(cast))
            posted(http, a_weight(cast))
            posted(http, a_screening(cast))
            return f"Consent/{posted(http, a_consent(cast))['id']}"

    def shelved(self) -> str:
        """The number of a lot that is accepted and in stock."""
        number, of = f"SYN-{uuid.uuid4().hex[:8]}", self.morning
        cast = Cast(staff=of.staff, hospital="", ward="", patient={"id": "nobody"})
        with self.served.client() as http:
            lot = f"Medication/{posted(http, a_lot(number))['id']}"
            posted(http, a_delivery(cast, lot))
            said = [{"name": "performer", "valueReference": cast.person("nurse")}]
            http.post(f"/fhir/{lot}/$accept", json={"resourceType": "Parameters", "parameter": said}).raise_for_status()
        return number


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


def long_signed_in(contrast: ContrastMorning) -> None:
    """Everybody proved ten minutes ago who he is: longer than a grave act lets pass."""

    async def older() -> None:
        connection = await asyncpg.connect(ensure_running(contrast.served.data_dir))
        try:
            await connection.execute("UPDATE front.session SET auth_at = auth_at - interval '10 minutes'")
        finally:
            await connection.close()

    with ThreadPoolExecutor(1) as beside:  # the browser's own loop runs in this thread
        beside.submit(asyncio.run, older()).result()


def staff_number(contrast: ContrastMorning, who: str) -> str:
    """The number on somebody's badge."""
    with contrast.served.client() as http:
        person = http.get(f"/fhir/{contrast.morning.staff[who]}").raise_for_status().json()
    return str(person["identifier"][0]["value"])
