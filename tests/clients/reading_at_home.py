"""A draft in a served department, and two people with keys and clients of their own who are to sign it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
from cryptography.hazmat.primitives import serialization
from slipring.identity.scopes import LOADING
from slipring.signatory.sign_command import sign
from slipring.signing.certificate import issue, make_authority, make_key_and_csr
from slipring_demo.cast import C, cast_bundle, staff_of
from slipring_demo.ordering import a_request, not_pregnant, stated
from slipring_demo.reading import a_draft
from slipring_demo.scene import Cast
from slipring_demo.story import made_by
from typer import Typer
from typer.testing import CliRunner

from tests.support.server import Server

Tree = dict[str, Any]
COMMAND = Typer()
COMMAND.command()(sign)
PASSPHRASE = "a long passphrase"
PEOPLE = {"first reader": "dr-one", "second reader": "dr-two"}


@dataclass
class AtHome:
    """The served department, its cast, and where each signer keeps his key."""

    server: Server
    folder: Path
    cast: Cast
    chains: dict[str, Path] = field(default_factory=dict)
    keys: dict[str, Path] = field(default_factory=dict)

    def posted(self, path: str, body: Tree, client: httpx.Client) -> Tree:
        answer = client.post(f"/fhir/{path}".rstrip("/"), json=body, headers={"Content-Type": "application/fhir+json"})
        assert answer.is_success, answer.text
        tree: Tree = answer.json()
        return tree

    def drafted(self) -> str:
        """A new draft report of a new request; its reference."""
        with self.server.department() as client:
            status = self.posted("Observation", not_pregnant(self.cast), client)
            request = a_request(self.cast) | {"supportingInfo": [{"reference": f"Observation/{status['id']}"}]}
            request["extension"].append(stated("laboratory", "D-dimer 4.1 mg/L (synthetic)"))
            self.cast.request = self.posted("ServiceRequest", request, client)
            for _ in range(300):  # report hears of the request a moment later
                answer = client.post("/fhir", json=a_draft(self.cast))
                if answer.status_code != 422 or "report.not-known-yet" not in answer.text:
                    break
                time.sleep(0.1)
            assert answer.status_code == 200, answer.text
            return made_by(answer.json())[0]

    def certified(self, who: str, csr: bytes) -> bytes:
        """The chain that the department's authority gives for a request."""
        now = datetime.now(UTC)
        return issue(make_authority(self.server.data_dir / "signing", now=now), csr, self.cast.staff[who], who, now=now)

    def settled(self, who: str, name: str, *, passphrase: str = "") -> None:
        """A key in a file, encrypted or plain, with its certificate; and a registered client that acts for the person."""
        pem, csr = make_key_and_csr(name)
        if passphrase:
            key = serialization.load_pem_private_key(pem, None)
            way = serialization.BestAvailableEncryption(passphrase.encode())
            pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, way)
        self.keys[who], self.chains[who] = self.folder / f"{name}.key.pem", self.folder / f"{name}.pem"
        self.keys[who].write_bytes(pem)
        self.keys[who].chmod(0o644 if passphrase else 0o600)
        self.chains[who].write_bytes(self.certified(who, csr))
        scope = "user/*.cruds slipring/draft-read"
        added = self.slipring("client", "add", name, "--scope", scope, "--practitioner", self.cast.staff[who])
        assert added.returncode == 0, added.stderr

    def slipring(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Any slipring command, as a process."""
        begun = self.begun(*arguments, **environment)
        out, err = begun.communicate(timeout=120)
        return subprocess.CompletedProcess(arguments, begun.returncode, out, err)

    def begun(self, *arguments: str, **environment: str) -> subprocess.Popen[str]:
        """The same, under way; nothing is typed yet."""
        command = [str(Path(sys.executable).with_name("slipring")), *arguments]
        clean = {name: value for name, value in os.environ.items() if not name.startswith("SLIPRING_")}
        told = {"SLIPRING_URL": self.server.url, "SLIPRING_DATA_DIR": str(self.server.data_dir)} | environment
        pipe = subprocess.PIPE
        return subprocess.Popen(command, env=clean | told, text=True, stdin=pipe, stdout=pipe, stderr=pipe)

    def sign(self, who: str, *arguments: str, said: str = "", key: bool = True) -> Any:
        """`slipring sign` in this person's name; `said` is typed."""
        options = self.options(who)
        options += ["--url", self.server.url, "--data-dir", str(self.server.data_dir)]
        options += ["--key", str(self.keys[who])] if key else []
        return CliRunner().invoke(COMMAND, [*options, *arguments], input=said)

    def options(self, who: str) -> list[str]:
        """Whose chain, and who asks."""
        return ["--chain", str(self.chains[who]), "--client", PEOPLE[who]]

    def leads(self, who: str) -> httpx.Client:
        """This person as lead of diagnosis, who approves certificates: his own client."""
        role = {
            "resourceType": "PractitionerRole",
            "active": True,
            "practitioner": {"reference": self.cast.staff[who]},
            "code": [{"coding": [{"system": f"{C}/CodeSystem/staff-role", "code": "diagnosis-lead"}]}],
        }
        with self.server.loading() as loading:
            self.posted("PractitionerRole", role, loading)
        return self.server.client("user/*.cruds slipring/draft-read", PEOPLE[who])


def at_home(server: Server, folder: Path) -> AtHome:
    """The demo's people and patient, of whom two are to sign."""
    with server.loading() as loading:
        answer = loading.post("/fhir", json=cast_bundle(with_patient=True))
        assert answer.status_code == 200, answer.text
        made = made_by(answer.json())
    with server.department() as client:
        patient = client.get(f"/fhir/{made[-1]}").json()
    home = AtHome(server, folder, Cast(staff=staff_of(made), hospital=made[0], ward=made[1], patient=patient))
    home.settled("first reader", "dr-one", passphrase=PASSPHRASE)
    home.settled("second reader", "dr-two")
    return home


def answers_for(home: AtHome, who: str, report: str) -> list[str]:
    """An --answer for every wording that is questioned: a script is told its key and stops. A reviewer comes too early."""
    given: list[str] = []
    for _ in range(9):
        asked = home.sign(who, "--report", report, "--role", "reviewer", "--yes", *given).output
        if not (key := re.search("--answer ([0-9a-f]{32})=", asked)):
            return given
        given += ["--answer", f"{key[1]}=known to the ward"]
    raise AssertionError("the questions do not end")


__all__ = ["LOADING", "PASSPHRASE", "AtHome", "answers_for", "at_home"]
