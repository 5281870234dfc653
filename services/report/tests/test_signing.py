"""No report is released without two different qualified signers, in order, over what it says now (CL02-A011:5.7.1)."""

import base64
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from slipring.fhir.outcome import FhirError
from slipring.signing.certificate import issue, make_authority, make_key_and_csr
from slipring.signing.jws import jws_sha256, sign_payload
from slipring_report.handlers import signing_input, writes
from slipring_report.rendering.html import as_attachment

sys.path.insert(0, str(Path(__file__).parent))
from reading_room import AUTHOR, REPORT, REVIEWER, TRAINEE, TWIN, ReadingRoom, a_physician, named, refused


@pytest.fixture
def room(tmp_path: Path) -> ReadingRoom:
    return ReadingRoom(tmp_path)


async def signed_once(room: ReadingRoom) -> str:
    await room.draft()
    jws = await room.jws(AUTHOR, "author")
    assert (await room.sign(AUTHOR, "author", jws=jws)).refuse is None
    return jws


async def released(room: ReadingRoom) -> tuple[str, str]:
    first = await signed_once(room)
    second = await room.jws(REVIEWER, "reviewer", jws_sha256(first))
    assert (await room.sign(REVIEWER, "reviewer", jws=second)).refuse is None
    return first, second


async def test_two_signatures_release_the_report_and_both_verify(room: ReadingRoom) -> None:
    await signed_once(room)
    assert room.status == "preliminary" and "issued" not in room.report().resource
    await room.sign(REVIEWER, "reviewer", jws_sha256(await first_jws(room)))
    report = room.report().resource
    assert report["status"] == "final" and report["issued"].startswith("2026-03-02T04:00:02")
    valid, parts = await room.verified()
    assert valid and [part["who"]["valueReference"]["reference"] for part in parts] == [AUTHOR, REVIEWER]
    assert {part["alg"]["valueCode"] for part in parts} == {"ES256"}


async def first_jws(room: ReadingRoom) -> str:
    stored = next(s for s in room.desk.held.values() if s.resource["resourceType"] == "Provenance")
    return base64.b64decode(stored.resource["signature"][0]["data"]).decode()


async def test_the_released_rendering_has_size_and_hash_and_escapes_the_text(room: ReadingRoom) -> None:
    await released(room)
    form = room.report().resource["presentedForm"][0]
    content = base64.b64decode(form["data"])
    assert form["size"] == len(content) and form["hash"] and "No &lt;embolism&gt;." in content.decode()
    assert "结论" in content.decode() and "Conclusion" in content.decode()


async def test_a_signature_snapshots_the_signers_qualification_and_names_versions(room: ReadingRoom) -> None:
    await signed_once(room)
    provenance = next(s.resource for s in room.desk.held.values() if s.resource["resourceType"] == "Provenance")
    snapshot = next(e for e in provenance["extension"] if e["url"].endswith("qualification-snapshot"))
    parts = {part["url"] for part in snapshot["extension"]}
    assert {"practitioner", "licence", "level", "qualification", "role"} <= parts
    assert provenance["target"] == [{"reference": f"{REPORT}/_history/1"}]


async def test_signing_input_stores_nothing_and_names_the_versions(room: ReadingRoom) -> None:
    await room.draft()
    changes = await room.call(signing_input.signing_input_asked, role={"valueCode": "author"})
    assert not changes.save
    assert named(changes.answer)["version"]["valueReference"]["reference"] == f"{REPORT}/_history/1"
    assert named(changes.answer)["rendering"]["valueAttachment"]["contentType"].startswith("text/html")


async def test_the_same_person_cannot_sign_twice(room: ReadingRoom) -> None:
    first = await signed_once(room)
    assert "signers-differ" in refused(await room.sign(AUTHOR, "reviewer", jws_sha256(first)))
    assert room.status == "preliminary"


async def test_one_licence_under_two_records_is_one_person(room: ReadingRoom) -> None:
    first = await signed_once(room)
    assert refused(await room.sign(TWIN, "reviewer", jws_sha256(first))) == {"signers-differ"}


async def test_a_trainee_gives_no_first_signature_and_a_resident_no_last_one(room: ReadingRoom) -> None:
    await room.draft()
    assert refused(await room.sign(TRAINEE, "author")) == {"signer-qualified"}
    await room.sign(REVIEWER, "author")
    found = refused(await room.sign(AUTHOR, "reviewer", jws_sha256(await first_jws(room))))
    assert {"signer-qualified", "level-not-lower"} <= found


async def test_a_lapsed_competence_stops_the_signature_and_is_named(room: ReadingRoom) -> None:
    await room.draft()
    lapsed = a_physician(AUTHOR, "L-1", "resident-physician", "2022-01-01", competence={"end": "2026-03-01"})
    room.desk.hold(lapsed, source="elsewhere")
    changes = await room.sign(AUTHOR, "author")
    assert refused(changes) == {"signer-qualified"}
    assert changes.refuse is not None and "competence" in changes.refuse.issues[0].en


async def test_an_unknown_practitioner_signs_nothing(room: ReadingRoom) -> None:
    await room.draft()
    assert refused(await room.sign("Practitioner/o-nobody", "author")) == {"signer-qualified"}


async def test_a_key_of_a_foreign_authority_is_refused(room: ReadingRoom, tmp_path: Path) -> None:
    await room.draft()
    key, csr = make_key_and_csr("x")
    foreign = make_authority(tmp_path / "foreign", now=room.desk.now)
    room.keys[AUTHOR] = (key, issue(foreign, csr, AUTHOR, "x", now=room.desk.now))
    assert refused(await room.sign(AUTHOR, "author")) == {"signature-certificate-untrusted"}


async def test_a_signature_over_another_version_is_refused(room: ReadingRoom) -> None:
    await room.draft()
    old = await room.jws(AUTHOR, "author")
    await room.draft(conclusion="Embolism.")
    assert refused(await room.sign(AUTHOR, "author", jws=old)) == {"signature-payload-differs"}


async def test_an_old_signature_does_not_come_back(room: ReadingRoom) -> None:
    first = await signed_once(room)
    again = refused(await room.sign(AUTHOR, "author", jws=first))
    assert {"signature-already-used", "signature-previous-missing"} <= again


async def test_a_void_signature_stays_void_when_the_old_content_comes_back(room: ReadingRoom) -> None:
    first = await signed_once(room)
    await room.draft(conclusion="Embolism.")
    await room.draft()
    assert "signature-already-used" in refused(await room.sign(AUTHOR, "author", jws=first))
    valid, parts = await room.verified()
    assert not valid and parts[0]["reason"]["valueString"] == "voided"


async def test_a_second_signature_not_chained_to_the_first_is_refused(room: ReadingRoom) -> None:
    await signed_once(room)
    assert refused(await room.sign(REVIEWER, "reviewer")) == {"signature-previous-missing"}
    assert refused(await room.sign(REVIEWER, "reviewer", "0" * 64)) == {"signature-previous-differs"}


async def test_a_clock_more_than_five_minutes_off_is_refused(room: ReadingRoom) -> None:
    await room.draft()
    late = sign_payload(await room.payload(), *room.key_of(AUTHOR), "author", "", room.desk.now + timedelta(minutes=6))
    assert refused(await room.sign(AUTHOR, "author", jws=late)) == {"signature-time-off"}


async def test_a_reviewer_does_not_sign_first(room: ReadingRoom) -> None:
    await room.draft()
    assert refused(await room.sign(REVIEWER, "reviewer")) == {"roles-in-order"}


async def test_a_final_report_takes_no_further_signature(room: ReadingRoom) -> None:
    await released(room)
    with pytest.raises(FhirError) as refusal:
        await room.sign(REVIEWER, "chief", jws="a..b")
    assert refusal.value.status == 409


async def test_a_chain_of_three_releases_with_the_third(tmp_path: Path) -> None:
    room = ReadingRoom(tmp_path, chain_length=3)
    first = await signed_once(room)
    second = await room.jws(REVIEWER, "reviewer", jws_sha256(first))
    await room.sign(REVIEWER, "reviewer", jws=second)
    assert room.status == "preliminary"
    chief = "Practitioner/o-chief"
    room.desk.hold(a_physician(chief, "L-9", "chief-physician", "2001-01-01"), source="elsewhere")
    await room.sign(chief, "chief", jws_sha256(second))
    assert room.status == "final" and (await room.verified())[0]


async def test_a_changed_result_voids_the_signatures_too(room: ReadingRoom) -> None:
    result = {"resourceType": "Observation", "id": "r-2", "status": "final", "valueString": "a"}
    room.desk.hold(result)
    await room.draft(result=[{"reference": "Observation/r-2"}])
    await room.sign(AUTHOR, "author")
    await room.write(writes.observation_written, {**result, "valueString": "b"})
    assert room.status == "partial" and not (await room.verified())[0]


async def test_a_rendering_changed_in_the_store_fails_verification(room: ReadingRoom) -> None:
    await released(room)
    report = room.report().resource
    spoilt = {**report["presentedForm"][0], "data": base64.b64encode(b"other").decode()}
    room.desk.hold({**report, "presentedForm": [spoilt]})
    valid, parts = await room.verified()
    assert not valid and all(part["valid"]["valueBoolean"] for part in parts)


async def test_the_service_seals_what_it_releases_and_the_seal_is_verified(room: ReadingRoom) -> None:
    await released(room)
    assert [part["valid"]["valueBoolean"] for part in await room.seals()] == [True]


async def test_a_rendering_put_in_its_place_with_fitting_size_and_hash_breaks_the_seal(room: ReadingRoom) -> None:
    await released(room)
    report = room.report().resource
    sealed = report["presentedForm"][0]
    room.desk.hold({**report, "presentedForm": [as_attachment(b"other", extension=sealed["extension"])]})
    assert not (await room.verified())[0]
    assert [part["reason"]["valueString"] for part in await room.seals()] == ["payload-differs"]


async def test_a_rendering_without_its_seal_is_not_vouched_for(room: ReadingRoom) -> None:
    await released(room)
    report = room.report().resource
    bare = {name: value for name, value in report["presentedForm"][0].items() if name != "extension"}
    room.desk.hold({**report, "presentedForm": [bare]})
    assert not (await room.verified())[0]
    assert [part["reason"]["valueString"] for part in await room.seals()] == ["seal-missing"]
