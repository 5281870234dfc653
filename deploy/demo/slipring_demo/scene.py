"""What the story knows so far."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from slipring_demo.receivers import Receiver
from slipring_demo.teller import Teller

Tree = dict[str, Any]


@dataclass
class Scene:
    """Everyone and everything of the one exam."""

    teller: Teller
    data_dir: Path
    staff: dict[str, str]  # name in the story -> Practitioner/...
    ward: str
    scanner: str
    patient: Tree
    phones: dict[str, Receiver]
    his: Receiver
    earlier_study: Tree | None = None  # with a given patient: the CT exam that is asked for again
    dose_report: Path | None = None
    request: Tree = field(default_factory=dict)
    times: dict[str, datetime] = field(default_factory=dict)

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

    def task(self) -> Tree:
        """The exam's coordination Task as it stands."""
        (task,) = self.teller.found(f"Task?based-on={self.exam}&code=exam", quiet=True)
        return task

    def state(self) -> str:
        """The exam's state."""
        return str(self.task()["businessStatus"]["coding"][0]["code"])


def moment(offset: timedelta = timedelta(0)) -> str:
    """Now (or near it) as FHIR writes it."""
    return (datetime.now(UTC) + offset).strftime("%Y-%m-%dT%H:%M:%SZ")
