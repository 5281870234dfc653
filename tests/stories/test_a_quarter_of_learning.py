"""What a department learns from one report: pathology, a second blind reading, a score, and what the reviewer changed (5.6.2.3)."""

from __future__ import annotations

from typing import Any

import pytest
from slipring.fhir.service import CANONICAL as C
from slipring.identity.clients import DEMO_DEPARTMENT, DEMO_HIS
from slipring.identity.scopes import LOADING
from slipring.signing.jws import jws_sha256
from slipring_demo.cast import STAFF, role
from slipring_demo.teller import parameters, value_of
from slipring_report.learning.scoring import most_of, shipped

from tests.support.department import Department
from tests.support.one_exam import OneExam, one_exam, rules

Tree = dict[str, Any]


def rows(answer: Tree, name: str) -> list[dict[str, Tree]]:
    return [{one["name"]: one for one in row["part"]} for row in answer["parameter"] if row["name"] == name]


async def another(story: OneExam, name: str, number: str) -> Tree:
    """One more radiologist, as qualified as the first reader."""
    person = STAFF["first reader"][0] | {"identifier": [{"system": f"{C}/staff", "value": number}]}
    loading = story.department.client(
        DEMO_DEPARTMENT, LOADING
    )  # competence follows from assessments: history is loaded
    answer = await story.department.post("Practitioner", person, loading)
    await loading.aclose()
    assert answer.status_code == 201, answer.text
    story.cast.staff[name] = f"Practitioner/{answer.json()['id']}"
    await story.made(role(story.cast.staff[name], story.cast.hospital, "radiologist", "level-c"))
    return {"reference": story.cast.staff[name]}


@pytest.mark.clause("5.6.2.3 reports")
@pytest.mark.clause("4.14.7")
async def test_one_report_is_held_against_pathology_read_again_blind_scored_and_compared(
    department: Department,
) -> None:
    story = await one_exam(department)
    await story.requested()
    third, chair = await another(story, "third reader", "R-0008"), await another(story, "chair", "R-0009")
    report = await story.drafted()
    first = await story.jws(report, "first reader", "author")
    assert (await story.signed(report, first, "author")).is_success
    second = await story.jws(report, "second reader", "reviewer", jws_sha256(first))
    assert (await story.signed(report, second, "reviewer")).is_success
    await department.settle()

    held = {"against": ("Code", "pathology"), "diagnosis": ("String", "thrombus"), "by": ("Reference", third)}
    unexplained = parameters(**held, grade=("Code", "discordant"), system=("Code", "B3"))
    refused = await department.post(f"{report}/$record-concordance", unexplained)
    assert refused.status_code == 422 and rules(refused) == {"report.concordance-unexplained"}
    kept = await story.called(
        f"{report}/$record-concordance", **held, grade=("Code", "concordant"), system=("Code", "B3")
    )
    table = await story.called("DiagnosticReport/$concordance", system=("Code", "B3"))
    pathology, clinical = rows(table, "row")
    assert (pathology["numerator"]["valueInteger"], pathology["denominator"]["valueInteger"]) == (1, 1)
    assert "rate" not in clinical and clinical["denominator"]["valueInteger"] == 0

    drawn = await story.called(
        "DiagnosticReport/$draw-rereading",
        size=("Integer", 1), seed=("String", "2026-Q4"), reader=("Reference", third), by=("Reference", chair),
    )  # fmt: skip
    case = value_of(drawn, "case")["reference"]
    reader = await department.client_of("third-reader", third["reference"], "user/*.cruds slipring/draft-read")
    shown = await reader.get(f"/fhir/{case}")
    assert shown.status_code == 200
    for hidden in (report, story.cast.staff["first reader"], story.cast.staff["second reader"]):
        assert hidden not in shown.text
    seen = parameters(impression=("String", "Embolus in the left lower lobe."), category=("Code", "significant"))
    told = await department.post(f"{case}/$re-read", seen, reader)
    assert told.status_code == 200, told.text
    assert value_of(told.json(), "report")["reference"] == report, "now he is told"
    agreed = parameters(grade=("Code", "agree"), firstCategory=("Code", "significant"))
    done = await department.post(f"{case}/$re-read", agreed, reader)
    assert done.status_code == 200, done.text
    found = await story.called("DiagnosticReport/$rereading-agreement")
    assert [value_of(found, name) for name in ("cases", "notBlind", "agreed", "open")] == [1, 0, 1, 0]

    items = [{"linkId": k, "answer": [{"valueDecimal": int(v)}]} for k, v in most_of(shipped()).items()]
    sheet = {"resourceType": "QuestionnaireResponse", "status": "completed", "item": items}
    scored = {"resourceType": "Parameters", "parameter": [{"name": "response", "resource": sheet}]}
    own = scored["parameter"] + [{"name": "by", "valueReference": story.cast.person("first reader")}]
    refused = await department.post(f"{report}/$score", scored | {"parameter": own})
    assert refused.status_code == 422 and rules(refused) == {"report.score-own"}
    answer = await department.post(f"{report}/$score", scored, reader)
    assert answer.status_code == 200 and value_of(answer.json(), "grade") == "a", answer.text
    rate = await story.called("DiagnosticReport/$writing-pass-rate")
    assert (value_of(rate, "numerator"), value_of(rate, "denominator")) == (1, 1)
    [changed] = rows(await story.called("DiagnosticReport/$draft-differences"), "report")
    assert changed["changed"]["valueBoolean"] is False, "the reviewer signed what the author had signed"

    his = department.client(DEMO_HIS, "system/*.cruds")
    record = value_of(kept, "record")["reference"]
    for address in (record, value_of(answer.json(), "record")["reference"], case):
        assert (await his.get(f"/fhir/{address}")).status_code == 404, address
    for name in ("concordance", "rereading-agreement", "writing-pass-rate", "draft-differences"):
        assert (await department.post(f"DiagnosticReport/${name}", parameters(), his)).status_code == 403, name
    forged = await department.post(
        "QuestionnaireResponse", {**sheet, "questionnaire": f"{C}/Questionnaire/report-scoring"}
    )
    assert forged.status_code == 422 and rules(forged) == {"report.learning-by-operation"}
    await his.aclose()
    await reader.aclose()
