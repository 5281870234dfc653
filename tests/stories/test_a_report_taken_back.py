"""A report was released on the wrong patient: one person takes it back, and nobody goes on reading or ringing for it."""

from __future__ import annotations

from typing import Any

import pytest
from slipring.fhir.service import CANONICAL as C
from slipring.identity.clients import DEMO_HIS
from slipring.signing.jws import jws_sha256
from slipring_demo.teller import value_of

from tests.support.department import Department
from tests.support.one_exam import OneExam, one_exam, phones

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
    with phones("requester") as rung:
        await story.rung_at({"valueReference": story.cast.person("requester")}, rung["requester"])
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
        wrong = await department.get(value_of(answer, "nonconformity")["reference"])
        assert wrong["businessStatus"]["coding"][0]["code"] == "opened"
        retracted = await department.get(f"Task/{case['id']}")
        assert retracted["businessStatus"]["coding"][0]["code"] == "retracted" and retracted["status"] == "cancelled"
        assert rung["requester"].wait(before + 1), "whoever was rung is told that it is retracted"
        assert "retracted" in rung["requester"].received[-1]["text"]["en"]
        refused = await story.read_back(case, "requester")
        assert refused.status_code == 409, "nothing is left to be read back"
        await his.aclose()
