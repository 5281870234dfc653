"""What was signed is what is served: whatever was changed behind the service's back is found, with its reason."""

import base64
from typing import Any

import pytest
from cryptography import x509
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from slipring.fhir.outcome import FhirError
from slipring.fhir.service import Resource
from slipring.signing.certificate import issue, make_authority, make_key_and_csr
from slipring.signing.jws import sign_payload
from slipring.signing.revocation import Revoked, make_list
from slipring_consent.consenting.statement import CONSENT_FORM, CONSENT_SIGNATURE, statement
from slipring_consent.reading import instant
from slipring_consent.settings import ConsentSettings

from tests.support.consenting import a_signature
from tests.support.contrast import a_consent
from tests.support.desk import A_NOON, SealsInMemory

from .consent_room import PATIENT, ConsentRoom, refusals

WHEN = instant(A_NOON)


@pytest.mark.clause("5.4.1")
async def test_what_was_signed_stands_and_a_withdrawal_does_not_break_it() -> None:
    room = ConsentRoom()
    consent = await room.consented()
    reference = f"Consent/{consent['id']}"
    found = await room.verified(reference)
    assert (found["valid"], found["verdict"], found["reason"]) == (True, "stands", [])
    assert "no cryptographic signature" in found["words"]
    await room.withdrawn(reference)
    assert (await room.verified(reference))["verdict"] == "stands"


async def test_a_consent_on_paper_is_said_to_be_signed_elsewhere() -> None:
    room = ConsentRoom()
    room.desk.hold(a_consent())
    found = await room.verified("Consent/c-consent")
    assert (found["valid"], found["verdict"], found["reason"]) == (False, "on-paper", ["signature-elsewhere"])


def altered(room: ConsentRoom, what: str) -> None:
    """Change what is stored as somebody with the database might."""
    held = room.desk.held
    consent = next(one.resource for one in held.values() if one.resource["resourceType"] == "Consent")
    record = next(one.resource for one in held.values() if one.resource["resourceType"] == "Provenance")
    text = next(one.resource for one in held.values() if one.resource["resourceType"] == "DocumentReference")
    attachment = text["content"][0]["attachment"]
    signature = record["signature"][0]
    changes: dict[str, Resource] = {
        "text": {**text, "content": [{"attachment": {**attachment, "data": base64.b64encode(b"other").decode()}}]},
        "content": {**consent, "provision": {**consent["provision"], "period": {"end": "2030-01-01"}}},
        "performer": {**consent, "performer": [{"reference": "RelatedPerson/o-mother"}]},
        "decision": {**consent, "provision": {**consent["provision"], "type": "deny"}},
        "image": {**record, "signature": [{**signature, "data": a_signature(PATIENT, WHEN, b"x")["data"]}]},
        "signer": {**record, "signature": [{**signature, "who": {"reference": "Patient/o-other"}}]},
        "no signature": {**record, "signature": []},
        "no seal": {**record, "extension": []},
        "version": {**record, "target": [{"reference": f"Consent/{consent['id']}/_history/7"}]},
        "other consent": {**record, "target": [{"reference": "Consent/c-other/_history/1"}]},
        "pointer": {**consent, "extension": [e for e in consent["extension"] if e["url"] != CONSENT_SIGNATURE]},
    }
    room.desk.hold(changes[what])


@pytest.mark.clause("5.4.1")
@pytest.mark.parametrize(
    ("what", "reason"),
    [
        ("text", "text-altered"),
        ("content", "content-differs"),
        ("performer", "seal-payload-differs"),
        ("decision", "seal-payload-differs"),
        ("image", "seal-payload-differs"),
        ("signer", "seal-payload-differs"),
        ("no signature", "signature-missing"),
        ("no seal", "seal-malformed"),
        ("version", "another-version"),
        ("other consent", "another-version"),
        ("pointer", "record-not-named"),
    ],
)
async def test_whatever_was_altered_is_found(what: str, reason: str) -> None:
    room = ConsentRoom()
    consent = await room.consented()
    altered(room, what)
    found = await room.verified(f"Consent/{consent['id']}")
    assert (found["valid"], found["verdict"]) == (False, "broken")
    assert reason in found["reason"]


async def test_a_text_rewritten_with_hashes_that_fit_it_breaks_the_seal() -> None:
    room = ConsentRoom()
    consent = await room.consented()
    first = await room.desk.read(consent["sourceReference"]["reference"])
    other = await room.text(dose=("Quantity", {"value": 10, "unit": "mL"}))
    assert first is not None
    room.desk.hold({**other, "id": first.resource["id"]})
    assert (await room.verified(f"Consent/{consent['id']}"))["reason"] == ["seal-payload-differs"]


async def test_a_seal_by_a_key_that_the_service_never_published_is_found() -> None:
    room = ConsentRoom()
    consent = await room.consented()
    room.desk.seals = SealsInMemory()
    assert (await room.verified(f"Consent/{consent['id']}"))["reason"] == ["seal-key-unknown"]


@given(where=st.integers(min_value=0, max_value=5000), bit=st.integers(min_value=0, max_value=7))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_no_single_bit_of_the_text_changes_unseen(where: int, bit: int) -> None:
    room = ConsentRoom()
    consent = await room.consented()
    [text] = await room.desk.search("DocumentReference?status=current")
    attachment = text.resource["content"][0]["attachment"]
    content = bytearray(base64.b64decode(attachment["data"]))
    content[where % len(content)] ^= 1 << bit
    changed = {**attachment, "data": base64.b64encode(bytes(content)).decode()}
    room.desk.hold({**text.resource, "content": [{"attachment": changed}]})
    assert (await room.verified(f"Consent/{consent['id']}"))["verdict"] == "broken"


class Keys:
    """A patient's own key, certified by the root the department trusts."""

    def __init__(self, folder: Any, person: str) -> None:
        self.authority = make_authority(folder / "signing", now=A_NOON)
        self.key, request = make_key_and_csr(person)
        self.chain = issue(self.authority, request, person, person, now=A_NOON)
        self.trust = folder / "signing" / "root.pem"

    def signature(self, consent: Resource, sha256: str, who: str = PATIENT) -> Resource:
        payload = statement(consent, "permit", who, sha256)
        jws = sign_payload(payload, self.key, self.chain, "consenter", "", A_NOON, form=CONSENT_FORM)
        return a_signature(who, WHEN, jws.encode(), "application/jose")


async def test_a_patients_own_key_signs_and_another_persons_does_not(tmp_path: Any) -> None:
    keys = Keys(tmp_path, PATIENT)
    room = ConsentRoom()
    room.desk.settings = ConsentSettings(confirmed=frozenset({"*"}), trust=keys.trust)
    text = await room.text()
    sha256 = text["content"][0]["attachment"]["extension"][0]["valueString"]
    paper = room.paper(text)
    assert refusals(await room.signed(paper, keys.signature(paper, "0" * 64))) == {"consent.key-payload-differs"}
    foreign = Keys(tmp_path, "Patient/o-other").signature(paper, sha256)
    assert refusals(await room.signed(paper, foreign)) == {"consent.key-foreign-key"}
    changes = await room.signed(paper, keys.signature(paper, sha256))
    assert changes.refuse is None
    found = await room.verified(f"Consent/{room.kept(changes)['id']}")
    assert (found["verdict"], found["signature"][0]["kind"]["valueCode"]) == ("stands", "key")
    strangers = tmp_path / "strangers"
    strangers.mkdir()
    room.desk.settings = ConsentSettings(confirmed=frozenset({"*"}), trust=Keys(strangers, PATIENT).trust)
    found = await room.verified(f"Consent/{room.kept(changes)['id']}")
    assert (found["verdict"], found["signature"][0]["valid"]["valueBoolean"]) == ("broken", False)


async def test_a_key_that_was_taken_back_signs_no_consent_any_more(tmp_path: Any) -> None:
    keys = Keys(tmp_path, PATIENT)
    room = ConsentRoom()
    lists = tmp_path / "crl.pem"
    room.desk.settings = ConsentSettings(confirmed=frozenset({"*"}), trust=keys.trust, revoked=(lists,))
    text = await room.text()
    paper = room.paper(text)
    signature = keys.signature(paper, text["content"][0]["attachment"]["extension"][0]["valueString"])
    with pytest.raises(FhirError) as nobody_knows:
        await room.signed(paper, signature)
    assert nobody_knows.value.status == 503
    assert nobody_knows.value.issues[0].detail == "consent.revocation-list-unreadable"
    [certificate, *_] = x509.load_pem_x509_certificates(keys.chain)
    taken = {certificate.serial_number: Revoked(A_NOON, "keyCompromise")}
    lists.write_bytes(make_list(keys.authority.issuer, keys.authority.key, taken, A_NOON))
    assert refusals(await room.signed(paper, signature)) == {"consent.key-certificate-revoked"}
