"""A report is released by two different qualified people who signed the very text that stands.

CNAS-CL02-A011 5.6.1 and 5.7.1: wrong person, wrong order, wrong text and a spoilt signature are each refused, the
refusal stays on record, and the report does not move.
"""

from __future__ import annotations

import base64
import json
from datetime import timedelta

import pytest
from slipring.signing.jws import jws_sha256
from slipring.signing.proof import opened
from slipring.signing.verdict import verdict
from slipring_demo.teller import value_of

from tests.support.department import Department
from tests.support.one_exam import OneExam, one_exam, rules, texts


async def a_draft_to_sign(department: Department) -> tuple[OneExam, str]:
    story = await one_exam(department)
    await story.requested()
    return story, await story.drafted()


async def previous(story: OneExam, report: str, role: str) -> str | None:
    """What the next signature is to be chained to, as `$signing-input` says it."""
    found = value_of(await story.called(f"{report}/$signing-input", role=("Code", role)), "previous")
    return None if found is None else str(found)


async def status(story: OneExam, report: str) -> str:
    return str((await story.department.get(report))["status"])


async def test_the_same_person_cannot_sign_twice(department: Department) -> None:
    story, report = await a_draft_to_sign(department)
    first = await story.jws(report, "second reader", "author")
    assert (await story.signed(report, first, "author")).is_success
    again = await story.jws(report, "second reader", "reviewer", jws_sha256(first))
    refused = await story.signed(report, again, "reviewer")
    assert refused.status_code == 422 and rules(refused) == {"report.signers-differ"}, texts(refused)
    assert await status(story, report) == "preliminary"
    kept = await department.found(f"DetectedIssue?implicated={report}")
    assert "report.signers-differ" in {issue["code"]["coding"][0]["code"] for issue in kept}


async def test_nobody_reviews_before_the_author_has_signed(department: Department) -> None:
    story, report = await a_draft_to_sign(department)
    refused = await story.signed(report, await story.jws(report, "second reader", "reviewer"), "reviewer")
    assert refused.status_code == 422 and "report.roles-in-order" in rules(refused), texts(refused)
    assert await status(story, report) == "partial"


@pytest.mark.parametrize("who", ["technologist", "requester", "trainee"])
async def test_who_is_not_qualified_cannot_sign(department: Department, who: str) -> None:
    story, report = await a_draft_to_sign(department)
    await story.joined("trainee", "resident-physician", "radiologist", "level-a")
    await department.settle()
    refused = await story.signed(report, await story.jws(report, who, "author"), "author")
    assert refused.status_code == 422 and "report.signer-qualified" in rules(refused), texts(refused)
    assert await status(story, report) == "partial"


async def test_a_spoilt_signature_is_refused_whatever_was_spoilt(department: Department) -> None:
    story, report = await a_draft_to_sign(department)
    good = await story.jws(report, "first reader", "author")
    header, _, signature = good.split(".")
    value = bytearray(base64.urlsafe_b64decode(signature + "=="))
    value[10] ^= 1
    bent = base64.urlsafe_b64encode(value).rstrip(b"=").decode()
    claims = json.loads(base64.urlsafe_b64decode(header + "=" * (-len(header) % 4)))
    unsigned = base64.urlsafe_b64encode(json.dumps(claims | {"alg": "none"}).encode()).rstrip(b"=").decode()
    for spoilt in (f"{header}..{bent}", f"{unsigned}..", f"{unsigned}..{signature}", good[:-8], "not a signature"):
        refused = await story.signed(report, spoilt, "author")
        assert refused.status_code == 422, spoilt[-40:]
        assert any(rule.startswith("report.signature-") for rule in rules(refused)), texts(refused)
    assert await status(story, report) == "partial"
    assert (await story.signed(report, good, "author")).is_success, "the true one is still good"


async def test_a_signature_over_another_report_is_no_signature_of_this_one(department: Department) -> None:
    story, report = await a_draft_to_sign(department)
    other = await story.drafted()
    refused = await story.signed(report, await story.jws(other, "first reader", "author"), "author")
    assert refused.status_code == 422, refused.text
    assert "report.signature-payload-differs" in rules(refused), texts(refused)


async def test_changed_text_voids_the_signatures_and_both_sign_anew(department: Department) -> None:
    story, report = await a_draft_to_sign(department)
    assert await previous(story, report, "author") is None
    first = await story.jws(report, "first reader", "author")
    assert (await story.signed(report, first, "author")).is_success
    assert await previous(story, report, "reviewer") == jws_sha256(first)
    draft = await department.get(report)
    # The client writes back what it read, with another conclusion.
    changed = draft | {"conclusion": "No embolism after all. 未见肺栓塞。"}
    answer = await department.put(changed, If_Match=f'W/"{draft["meta"]["versionId"]}"')
    assert answer.status_code == 200, answer.text
    assert await status(story, report) == "partial"
    verified = await story.called(f"{report}/$verify")
    assert value_of(verified, "valid") is False
    second = await story.jws(report, "second reader", "reviewer", jws_sha256(first))
    assert (await story.signed(report, second, "reviewer")).status_code == 422, "the first signature no longer counts"
    assert await previous(story, report, "author") is None, "nothing stands that it could be chained to"
    department.clock.advance(timedelta(minutes=1))
    await department.fresh()
    anew = await story.jws(report, "first reader", "author")
    assert (await story.signed(report, anew, "author")).is_success
    reviewed = await story.jws(report, "second reader", "reviewer", jws_sha256(anew))
    assert (await story.signed(report, reviewed, "reviewer")).is_success
    assert await status(story, report) == "final"
    assert value_of(await story.called(f"{report}/$verify"), "valid") is True


async def test_a_released_report_is_corrected_only_by_signing_again(department: Department) -> None:
    """The text hangs on the Composition: to change that is to change the report."""
    story, report = await a_draft_to_sign(department)
    first = await story.jws(report, "first reader", "author")
    assert (await story.signed(report, first, "author")).is_success
    second = await story.jws(report, "second reader", "reviewer", jws_sha256(first))
    assert (await story.signed(report, second, "reviewer")).is_success
    released = await department.get(report)
    taken_along = await proof_of(story, report)
    text = await department.get(released["extension"][0]["valueReference"]["reference"])
    text["section"][3]["text"]["div"] = '<div xmlns="http://www.w3.org/1999/xhtml"><p>Right lower lobe only.</p></div>'
    answer = await department.put(text, If_Match=f'W/"{text["meta"]["versionId"]}"')
    assert answer.status_code == 409 and rules(answer) == {"report.released-amend"}, answer.text
    draft, composition = await story.amended(report)
    text = await department.get(composition) | {"section": text["section"]}
    answer = await department.put(text, If_Match=f'W/"{text["meta"]["versionId"]}"')
    assert answer.status_code == 200, answer.text
    assert await department.get(report) == released, "what was released goes on standing"
    assert value_of(await story.called(f"{report}/$verify"), "valid") is True
    department.clock.advance(timedelta(minutes=1))
    await department.fresh()
    anew = await story.jws(draft, "first reader", "author")
    assert (await story.signed(draft, anew, "author")).is_success
    reviewed = await story.jws(draft, "second reader", "reviewer", jws_sha256(anew))
    answer = await story.signed(draft, reviewed, "reviewer")
    assert answer.is_success and value_of(answer.json(), "report")["reference"] == report, answer.text
    assert await status(story, report) == "corrected"
    assert value_of(await story.called(f"{report}/$verify"), "valid") is True
    assert (await department.his.get(f"/fhir/{draft}")).status_code == 410, "the draft is the report now"
    every = await department.found(f"Provenance?target={report}&_count=100")
    assert len(every) == 4, "all four signatures stay on record"
    earlier = await department.get(f"{report}/_history/{released['meta']['versionId']}")
    assert earlier == released, "the version of before stays readable"
    for proof in (taken_along, await proof_of(story, report)):  # what was given away goes on holding
        found = verdict(opened(proof), (department.data_dir / "signing/root.pem").read_bytes())
        assert found.holds and found.known, found.tree()


async def proof_of(story: OneExam, report: str) -> bytes:
    """The file that a receiver takes along."""
    answer = await story.called(f"{report}/$proof")
    return base64.b64decode(answer["data"])
