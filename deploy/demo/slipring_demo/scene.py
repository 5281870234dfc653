"""What the story knows so far: who is in it, about which exam, and how it is told."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from slipring.runtime.clock import utc_now

from slipring_demo.receivers import Receiver
from slipring_demo.teller import Teller

Tree = dict[str, Any]


@dataclass(kw_only=True)
class Cast:
    """The people, the patient and the request of one exam: all that its papers are written from."""

    staff: dict[str, str]  # name in the story -> Practitioner/...
    hospital: str
    ward: str
    patient: Tree
    earlier_study: Tree | None = None  # with a given patient: the CT exam that is asked for again
    repeat_reason: str = ""  # why the region is scanned again, where that is asked (J08)
    request: Tree = field(default_factory=dict)
    lot: str = ""  # Medication/...: the lot that contrast is taken from
    contrast_ml: int = 60  # planned, consented to and given
    now: Callable[[], datetime] = utc_now

    @property
    def subject(self) -> Tree:
        """A reference to the patient."""
        return {"reference": f"Patient/{self.patient['id']}"}

    @property
    def exam(self) -> str:
        """The request's reference."""
        return f"ServiceRequest/{self.request['id']}"

    @property
    def imaging_number(self) -> str:
        """The unique imaging number (5.4.6)."""
        for identifier in self.request["identifier"]:
            if any(coding["code"] == "ACSN" for coding in identifier.get("type", {}).get("coding", [])):
                return str(identifier["value"])
        raise LookupError("the request has no imaging number")

    def person(self, name: str) -> Tree:
        """A reference to a member of staff."""
        return {"reference": self.staff[name]}

    def moment(self, offset: timedelta = timedelta(0)) -> str:
        """Now (or near it) as FHIR writes it."""
        return (self.now() + offset).strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass(kw_only=True)
class Scene(Cast):
    """One exam as it is told: the cast, its phones, the HIS, and when things happened."""

    teller: Teller
    data_dir: Path
    phones: dict[str, Receiver]
    his: Receiver
    dose_report: Path | None = None
    times: dict[str, datetime] = field(default_factory=dict)

    def task(self) -> Tree:
        """The exam's coordination Task as it stands."""
        (task,) = self.teller.found(f"Task?based-on={self.exam}&code=exam", quiet=True)
        return task

    def state(self) -> str:
        """The exam's state."""
        return str(self.task()["businessStatus"]["coding"][0]["code"])
