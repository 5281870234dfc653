"""A physician asks for a certificate, the quality manager approves it, he signs with it; it is taken back (CL02-A011:5.7.1).

Everything over HTTP and on PostgreSQL, each person with a client of his own; the department allows every algorithm.
"""

from __future__ import annotations

import base64
import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from slipring.signing.jws import jws_sha256, sign_payload
from slipring.signing.revocation import entries, read_lists
from slipring.signing.time_stamp import TIME_STAMP
from slipring_demo.cast import C
from slipring_demo.teller import parameters, value_of

from tests.support.department import Department, open_department
from tests.support.one_exam import OneExam, one_exam, rules, texts
from tests.support.time_stamping import TimeStamping, time_stamping

KEYS = {
    "ES384": lambda: ec.generate_private_key(ec.SECP384R1()),
    "EdDSA": ed25519.Ed25519PrivateKey.generate,
    "PS256": lambda: rsa.generate_private_key(65537, 3072),
    "RS256": lambda: rsa.generate_private_key(65537, 2048),
}


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TimeStamping]:
    """A time stamping authority outside, which is down at first."""
    with time_stamping(tmp_path_factory.mktemp("tsa")) as running:
        running.down = True
        yield running


@pytest.fixture(scope="module")
async def department(data_dir: Path, authority: TimeStamping) -> AsyncIterator[Department]:
    """A department that allows more than the default, and has its signatures stamped."""
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("SLIPRING_SIGNING_ALGORITHMS", "ES256,ES384,EdDSA,PS256,RS256")
        environment.setenv("SLIPRING_TSA_URL", authority.url)
        environment.setenv("SLIPRING_TSA_TRUST", str(authority.root))
        async with open_department(data_dir, prefix="certificates_") as opened:
            yield opened


def a_request(csr: bytes) -> dict[str, Any]:
    return {
        "resourceType": "Task",
        "status": "requested",
        "intent": "order",
        "code": {"coding": [{"system": f"{C}/CodeSystem/task-code", "code": "certificate-request"}]},
        "input": [
            {
                "type": {"coding": [{"system": f"{C}/CodeSystem/certificate-parameter", "code": "csr"}]},
                "valueString": csr.decode(),
            }
        ],
    }


pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="the authority of this story is openssl's")


class Signers:
    """The people of the story, each with a client, a key and, once it is issued, a certificate."""

    def __init__(self, story: OneExam) -> None:
        self.story = story
        self.clients: dict[str, httpx.AsyncClient] = {}
        self.keys: dict[str, tuple[bytes, bytes]] = {}
        self.certificates: dict[str, str] = {}

    async def client(self, name: str) -> httpx.AsyncClient:
        if name not in self.clients:
            person = self.story.cast.staff[name]
            self.clients[name] = await self.story.department.client_of(f"cert-{name.replace(' ', '-')}", person)
        return self.clients[name]

    async def asked(self, name: str, algorithm: str) -> str:
        """Post a request for a fresh key of this algorithm; the Task."""
        key = KEYS[algorithm]()
        digest = None if algorithm == "EdDSA" else hashes.SHA256()
        csr = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([])).sign(key, digest)
        pem = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        self.keys[name] = (pem, b"")
        sent = a_request(csr.public_bytes(serialization.Encoding.PEM))
        answer = await self.story.department.post("Task", sent, await self.client(name))
        assert answer.status_code == 201, answer.text
        return f"Task/{answer.json()['id']}"

    async def decided(self, task: str, by: str) -> httpx.Response:
        said = parameters(decision=("Code", "approve"))
        return await self.story.department.post(f"{task}/$decide-certificate", said, await self.client(by))

    async def certified(self, name: str, algorithm: str) -> None:
        answer = await self.decided(await self.asked(name, algorithm), "quality manager")
        assert answer.status_code == 200, answer.text
        self.keys[name] = (self.keys[name][0], value_of(answer.json(), "chain").encode())
        self.certificates[name] = value_of(answer.json(), "certificate")["reference"]

    async def jws(self, report: str, name: str, role: str, algorithm: str, prev: str = "") -> str:
        await self.story.stood_for(report)
        given = await self.story.called(f"{report}/$signing-input", role=("Code", role))
        payload = base64.b64decode(value_of(given, "payload"))
        now = self.story.department.clock.now()
        return sign_payload(payload, *self.keys[name], role, prev, now, algorithm=algorithm)


@pytest.fixture(scope="module")
async def signers(department: Department) -> Signers:
    story = await one_exam(department)
    await story.requested()
    await story.joined("quality manager", "chief-physician", "quality-manager")
    await department.settle()
    return Signers(story)


@pytest.mark.clause("5.7.1")
@pytest.mark.parametrize(("first", "second"), [("ES384", "EdDSA"), ("PS256", "RS256")])
async def test_two_people_with_certificates_of_their_own_release_a_report(
    signers: Signers, first: str, second: str
) -> None:
    story = signers.story
    await signers.certified("first reader", first)
    await signers.certified("second reader", second)
    await story.department.fresh()
    report = await story.drafted()
    one = await signers.jws(report, "first reader", "author", first)
    assert (await story.signed(report, one, "author")).is_success
    two = await signers.jws(report, "second reader", "reviewer", second, jws_sha256(one))
    answer = await story.signed(report, two, "reviewer")
    assert answer.is_success, texts(answer)
    verified = await story.called(f"{report}/$verify")
    assert value_of(verified, "valid") is True
    parts = [p["part"] for p in verified["parameter"] if p["name"] == "signature"]
    told = [
        {part["name"]: next(v for k, v in part.items() if k.startswith("value")) for part in each} for each in parts
    ]
    assert [(each["alg"], each["valid"], each["sealed"]) for each in told] == [
        (first, True, True),
        (second, True, True),
    ]
    await story.department.wait(minutes=1)


async def test_nobody_approves_his_own_certificate(signers: Signers) -> None:
    task = await signers.asked("quality manager", "ES384")
    refused = await signers.decided(task, "quality manager")
    assert refused.status_code == 403 and rules(refused) == {"report.certificate-second-person"}, refused.text
    assert (await signers.story.department.get(task))["status"] == "requested"
    system = await signers.story.department.post(
        f"{task}/$decide-certificate", parameters(decision=("Code", "approve"))
    )
    assert system.status_code == 422 and rules(system) == {"report.certificate-person"}, system.text


async def test_who_holds_which_certificate_is_found_and_one_taken_back_signs_no_more(signers: Signers) -> None:
    story, department = signers.story, signers.story.department
    person = story.cast.staff["first reader"]
    kind = f"{C}/CodeSystem/report-document|signing-certificate"
    before = await department.found(f"DocumentReference?type={kind}&subject={person}&status=current")
    await signers.certified("first reader", "ES384")
    mine = await department.found(f"DocumentReference?type={kind}&subject={person}&status=current")
    assert len(mine) == len(before) + 1 and all("end" in each["context"]["period"] for each in mine)
    await department.fresh()
    report, other = await story.drafted(), await story.drafted()
    one = await signers.jws(report, "first reader", "author", "ES384")
    assert (await story.signed(report, one, "author")).is_success
    await department.wait(minutes=1)
    await department.fresh()
    client, certificate = await signers.client("first reader"), signers.certificates["first reader"]
    said = parameters(reason=("Code", "keyCompromise"))
    taken = await department.post(f"{certificate}/$revoke-certificate", said, client)
    assert taken.status_code == 200, taken.text
    assert value_of(await story.called(f"{report}/$verify"), "valid") is True, "what was signed before stands"
    late = await signers.jws(other, "first reader", "author", "ES384")
    refused = await story.signed(other, late, "author")
    assert refused.status_code == 422 and "report.signature-certificate-revoked" in rules(refused), texts(refused)
    listed = await story.called("DocumentReference/$revocation-list")
    [made] = read_lists(value_of(listed, "list").encode())
    serial = x509.load_pem_x509_certificates(signers.keys["first reader"][1])[0].serial_number
    assert entries(made)[serial].reason == "keyCompromise"


async def test_the_holder_is_told_thirty_days_before_the_end(signers: Signers) -> None:
    department, person = signers.story.department, signers.story.cast.staff["second reader"]
    await signers.certified("second reader", "EdDSA")
    await department.wait(days=701)
    told = await department.found(f"Task?owner={person}&code=certificate-renewal&status=requested")
    assert [each["focus"]["reference"] for each in told] == [signers.certificates["second reader"]]


async def test_an_authority_that_was_down_stamps_what_was_signed_meanwhile(
    signers: Signers, authority: TimeStamping
) -> None:
    """Two reports were released without it; once it answers, each signature gets its stamp, and every one still stands."""
    story, department = signers.story, signers.story.department
    assert authority.asked, "it was asked, and did not answer"
    authority.down = False
    for _ in range(60):
        await department.wait(minutes=10)
        signed = [each for each in await department.found("Provenance?_count=100") if "signature" in each]
        stamped = [each for each in signed if any(e["url"] == TIME_STAMP for e in each["extension"])]
        if signed and len(stamped) == len(signed):
            break
    assert len(stamped) == len(signed) >= 5
    named = (each["reference"].partition("/_history")[0] for each in stamped[-1]["target"])
    [report] = [each for each in named if each.startswith("DiagnosticReport/")]
    verified = await story.called(f"{report}/$verify")
    names = {part["name"] for p in verified["parameter"] if p["name"] == "signature" for part in p["part"]}
    assert "timeStamp" in names
