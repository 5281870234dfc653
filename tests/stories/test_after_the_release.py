"""A report after its release: taken back from the wrong patient, or let out in an emergency and read a second time."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from slipring.fhir.service import CANONICAL as C
from slipring.identity.clients import DEMO_DEPARTMENT, DEMO_HIS
from slipring.identity.scopes import LOADING
from slipring.signing.jws import jws_sha256
from slipring_demo.cast import STAFF, role
from slipring_demo.teller import parameters, value_of

from tests.support.backport import topical
from tests.support.department import Department
from tests.support.one_exam import OneExam, one_exam, phones, rules

WRONG = ("CodeableConcept", {"coding": [{"system": f"{C}/CodeSystem/withdrawal-reason", "code": "wrong-patient"}]})
Tree = dict[str, Any]


async def released(story: OneExam) -> str:
    report = await story.drafted()
    first = await story.jws(report, "first reader", "author")
    assert (await story.signed(report, first, "author")).is_success
    second = await story.jws(report, "second reader", "reviewer", jws_sha256(first))
    assert (await story.signed(report, second, "reviewer")).is_success
    return report


@pytest.mark.clause("5.9.1")
async def test_a_report_on_the_wrong_patient_is_gone_for_everybody_at_once(department: Department) -> None:
    story = await one_exam(department)
    await story.requested()
    with phones("requester", "notices") as rung:
        await story.rung_at({"valueReference": story.cast.person("requester")}, rung["requester"])
        withdrawn = f"Communication?category={C}/CodeSystem/report-notice|withdrawn"
        notices = {"topic": f"{C}/SubscriptionTopic/report-notice", "channel": {"endpoint": rung["notices"].url}}
        await story.made(topical("full-resource", withdrawn, **notices))
        report = await released(story)
        case = await story.flagged(report)
        await department.settle()
        assert rung["requester"].wait()
        his = department.client(DEMO_HIS, "system/*.rs")
        tree: Tree = (await his.get(f"/fhir/{report}")).json()
        text = tree["extension"][0]["valueReference"]["reference"]
        assert (await his.get(f"/fhir/{text}")).status_code == 200
        before = len(rung["requester"].received)
        answer = await story.called(
            f"{report}/$withdraw", reason=WRONG, by=("Reference", story.cast.person("second reader"))
        )
        await department.settle()
        now = (await his.get(f"/fhir/{report}")).json()
        assert now["status"] == "entered-in-error" and "conclusion" not in now and len(now["presentedForm"]) == 1
        for hidden in (text, f"{text}/_history/1", f"{report}/_history/{tree['meta']['versionId']}"):
            assert (await his.get(f"/fhir/{hidden}")).status_code == 404, hidden
            assert (await department.his.get(f"/fhir/{hidden}")).status_code == 200, "the department keeps it"
        found = (await his.get("/fhir/DiagnosticReport/_history?_count=200")).json()
        assert "pulmonary" not in str([e for e in found["entry"] if e["resource"]["id"] == tree["id"]])
        told = [part["valueReference"]["reference"] for part in answer["parameter"] if part["name"] == "notice"]
        who = [(await department.get(one))["recipient"][0] for one in told]
        assert story.cast.staff["requester"] in [one.get("reference") for one in who]
        assert DEMO_HIS in [one.get("display") for one in who], "the system that has read it"
        assert rung["notices"].wait(1 + len(told)), "a handshake, then each notice by subscription"
        events = [one for bundle in rung["notices"].received[1:] for one in bundle["entry"][1:]]
        by_hook = {f"Communication/{one['resource']['id']}" for one in events if "resource" in one}
        assert by_hook == set(told) and "pulmonary" not in str(events)
        wrong = await department.get(value_of(answer, "nonconformity")["reference"])
        assert wrong["businessStatus"]["coding"][0]["code"] == "opened"
        retracted = await department.get(f"Task/{case['id']}")
        assert retracted["businessStatus"]["coding"][0]["code"] == "retracted" and retracted["status"] == "cancelled"
        assert rung["requester"].wait(before + 1), "whoever was rung is told that it is retracted"
        assert "retracted" in rung["requester"].received[-1]["text"]["en"]
        refused = await story.read_back(case, "requester")
        assert refused.status_code == 409, "nothing is left to be read back"
        await his.aclose()


AT_ONCE = (
    "CodeableConcept",
    {"coding": [{"system": f"{C}/CodeSystem/emergency-release-reason", "code": "emergency-duty"}]},
)


@pytest.mark.clause("5.7.1")
async def test_an_emergency_is_read_at_once_by_one_and_corrected_by_the_second_reader(department: Department) -> None:
    story = await one_exam(department)
    await story.requested(priority="stat")
    his = department.client(DEMO_HIS, "system/*.rs")
    report = await story.drafted()
    assert (await his.get(f"/fhir/{report}")).status_code == 404
    alone = await story.jws(report, "second reader", "author")
    await story.called(f"{report}/$sign", jws=("String", alone), role=("Code", "author"), emergency=AT_ONCE)
    tree: Tree = (await his.get(f"/fhir/{report}")).json()
    assert (
        tree["status"] == "preliminary" and [t["code"] for t in tree["meta"]["tag"]][-1] == "emergency-single-signature"
    )
    assert [form["contentType"].partition(";")[0] for form in tree["presentedForm"]] == ["text/html", "application/pdf"]
    text = tree["extension"][0]["valueReference"]["reference"]
    assert (await his.get(f"/fhir/{text}")).status_code == 200, "its parts are released with it"
    [task] = await department.found(f"Task?focus={report}&code=second-read")
    third = await _another_reader(story)
    answer = await story.called(
        f"Task/{task['id']}/$second-read", grade=("Code", "major"), by=("Reference", {"reference": third})
    )
    notices = [part["valueReference"]["reference"] for part in answer["parameter"] if part["name"] == "notice"]
    assert notices and (await his.get(f"/fhir/{notices[0]}")).json()["priority"] == "stat"
    chained = await story.jws(report, "third reader", "reviewer", jws_sha256(alone))
    refused = await story.signed(report, chained, "reviewer")
    assert refused.status_code == 409 and rules(refused) == {"report.second-read-major"}, refused.text
    draft, _ = await story.amended(report, "corrected", "second-read")
    changed = await department.get(draft) | {"conclusion": "Embolism of the lingula only. 仅舌段栓塞。"}
    answer_to = await department.put(changed, If_Match=f'W/"{changed["meta"]["versionId"]}"')
    assert answer_to.status_code == 200, answer_to.text
    assert (await his.get(f"/fhir/{report}")).json() == tree and (await his.get(f"/fhir/{draft}")).status_code == 404
    first = await story.jws(draft, "first reader", "author")
    assert (await story.signed(draft, first, "author")).is_success
    second = await story.jws(draft, "third reader", "reviewer", jws_sha256(first))
    assert (await story.signed(draft, second, "reviewer")).is_success
    now = (await his.get(f"/fhir/{report}")).json()
    assert now["status"] == "corrected" and "lingula" in now["conclusion"] and not _tagged(now)
    assert value_of(await story.called(f"{report}/$verify"), "valid") is True
    assert (await department.get(f"Task/{task['id']}"))["status"] == "completed"
    await his.aclose()


async def _another_reader(story: OneExam) -> str:
    async with story.department.client(DEMO_DEPARTMENT, LOADING) as loading:  # his competence comes in as history
        answer = await story.department.post("Practitioner", STAFF["second reader"][0], loading)
    person = f"Practitioner/{answer.raise_for_status().json()['id']}"
    story.cast.staff["third reader"] = person
    await story.made(role(person, story.cast.hospital, *STAFF["second reader"][1]))
    await story.department.settle()
    return person


def _tagged(report: Tree) -> bool:
    return any(tag["code"] == "emergency-single-signature" for tag in report["meta"].get("tag", []))


@pytest.mark.clause("5.9.1")
async def test_a_critical_finding_answered_between_two_signatures_leaves_both_valid(department: Department) -> None:
    story = await one_exam(department)
    await story.requested()
    report = await story.drafted()
    first = await story.jws(report, "first reader", "author")
    assert (await story.signed(report, first, "author")).is_success
    case = await story.flagged(report)
    assert (await story.read_back(case, "requester")).is_success
    await department.settle()
    told = await department.found(f"Communication?based-on=Task/{case['id']}")
    [beside] = [one for one in told if one.get("topic", {}).get("coding", [{}])[0].get("code") == "73568-8"]
    second = await story.jws(report, "second reader", "reviewer", jws_sha256(first))
    assert (await story.signed(report, second, "reviewer")).is_success
    verified = await story.called(f"{report}/$verify")
    assert value_of(verified, "valid") is True
    assert len([part for part in verified["parameter"] if part["name"] == "signature"]) == 2
    released = await department.get(report)
    printed = await story.called(f"Communication/{beside['id']}/$print")
    sheet = base64.b64decode(printed["data"]).decode()
    patient = await department.get(story.cast.subject["reference"])
    requester = await department.get(story.cast.staff["requester"])
    for words in (
        "危急值通报", "肺栓塞", patient["name"][0]["text"], requester["name"][0]["text"], story.cast.imaging_number, f"{report} (final)",
        "有效 stands",
    ):  # fmt: skip
        assert words in sheet, words
    assert await department.get(report) == released, (
        "a sheet beside the report: no version, no signature, no rendering of it"
    )
    no = await department.post(f"Communication/{beside['id']}/$print", parameters(format=("Code", "text/rtf")))
    assert no.status_code == 422 and rules(no) == {"report.print-format"}
