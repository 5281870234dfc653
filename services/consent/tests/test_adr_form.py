"""The national report of a reaction: what is kept stands in its line, what is not is listed and never invented."""

import base64
import json
from typing import Any

import pytest
from slipring.fhir.outcome import FhirError
from slipring.fhir.service import CANONICAL, Call, Resource
from slipring.printing.pdf import INSTALL, can_print
from slipring_consent.catalogue import data_file
from slipring_consent.handlers.adr_form import adr_form_asked
from slipring_consent.reactions.adr_form import initials

from tests.support.contrast import EXAM, IOHEXOL, PATIENT, a_request, an_injection
from tests.support.desk import ADesk
from tests.support.reacting import A_MEASURE, a_reaction, a_room


async def asked(desk: ADesk, event: Resource, *said: Resource) -> tuple[dict[str, Any], str, set[str]]:
    """The form as data, the sheet, and what is missing."""
    call = Call({"resourceType": "Parameters", "parameter": list(said)}, desk.hold(event))
    changes = await adr_form_asked(call, desk)
    assert not changes.save and changes.answer is not None
    parts = changes.answer["parameter"]
    decoded = [base64.b64decode(one["valueAttachment"]["data"]).decode() for one in parts if "valueAttachment" in one]
    return json.loads(decoded[0]), decoded[1], {one["valueCode"] for one in parts if one["name"] == "missing"}


def a_whole_room() -> ADesk:
    desk = a_room()
    desk.hold(
        {
            "resourceType": "Patient", "id": "o-pat", "gender": "female", "birthDate": "1961-03-03",
            "name": [{"text": "王小明"}],
            "identifier": [{"type": {"coding": [{"code": "MR"}]}, "value": "SYN-1"}],
        },
        source="order",
    )  # fmt: skip
    desk.hold(a_request(reasonCode=[{"text": "咯血"}]), source="order")
    lot = {"lotNumber": "L-42"}
    desk.hold({"resourceType": "Medication", "id": "c-lot", "code": {"text": "碘海醇注射液"}, "batch": lot})
    given = an_injection(status="completed", medicationReference={"reference": "Medication/c-lot"})
    given.pop("medicationCodeableConcept", None)
    desk.hold(given | {"dosage": {"dose": {"value": 80, "unit": "mL"}}})
    return desk


@pytest.mark.clause("4.13")
async def test_what_is_kept_stands_in_its_line_and_what_is_not_is_listed() -> None:
    sign = {"coding": [{"system": f"{CANONICAL}/CodeSystem/reaction-sign", "code": "wheeze"}], "text": "喘息 / wheeze"}
    told = [{"url": f"{CANONICAL}/StructureDefinition/manifestation", "valueCodeableConcept": sign}, A_MEASURE]
    causality = {"coding": [{"system": f"{CANONICAL}/CodeSystem/adr-causality", "code": "probable"}]}
    suspect = {
        "instance": {"reference": "MedicationAdministration/c-injection"},
        "causality": [{"assessment": causality}],
    }
    event = a_reaction(grade="severe", extension=told, suspectEntity=[suspect])
    form, page, lacking = await asked(a_whole_room(), event)
    lines = form["lines"]
    assert (lines["patient_initials"], lines["sex"], lines["age_years"], lines["record_number"]) == (
        "王**",
        "女",
        "64",
        "SYN-1",
    )
    assert (lines["generic_name"], lines["lot"], lines["usage"], lines["disease"]) == (
        "碘海醇注射液",
        "L-42",
        "80 mL",
        "咯血",
    )
    assert (lines["report_class"], lines["reaction_name"], lines["causality"]) == ("严重", "喘息", "很可能")
    assert lines["reaction_time"] == "2026-03-02 12:01（急性，给药后 1 分钟）" and "12:02" in lines["process"]
    assert {"approval-number", "manufacturer", "outcome", "rechallenge", "effect-on-disease"} <= lacking
    assert not {"lot", "generic-name", "age-years"} & lacking
    assert "王**" in page and "王小明" not in page and "（待补充）" in page
    assert all(line["zh"] in page for line in data_file("adr_form.toml")["lines"].values())


@pytest.mark.parametrize(("said", "kind"), [("", "首次报告"), ("first", "首次报告"), ("follow-up", "跟踪报告")])
async def test_the_report_is_the_first_or_a_follow_up_as_it_is_asked(said: str, kind: str) -> None:
    form, _, _ = await asked(a_whole_room(), a_reaction(), *([{"name": "kind", "valueCode": said}] if said else []))
    assert form["lines"]["report_kind"] == kind


@pytest.mark.parametrize(
    ("request_of", "purpose"),
    [
        ({"code": {"text": "胸部 CT 增强"}, "reasonCode": [{"text": "咯血"}]}, "胸部 CT 增强（咯血）"),
        ({"code": {"coding": [{"display": "头颈 CTA"}]}}, "头颈 CTA"),
        ({}, "CT 增强检查"),
    ],
)
async def test_what_the_drug_was_used_for_is_the_exam_and_its_reason(request_of: Resource, purpose: str) -> None:
    desk = a_whole_room()
    desk.hold(a_request(**request_of), source="order")
    form, _, _ = await asked(desk, a_reaction())
    assert form["lines"]["used_for"] == purpose


@pytest.mark.parametrize(
    ("name", "value", "detail"), [("kind", "third", "adr-kind"), ("format", "image/png", "print-format")]
)
async def test_an_unknown_kind_or_format_is_refused(name: str, value: str, detail: str) -> None:
    with pytest.raises(FhirError) as refused:
        await asked(a_whole_room(), a_reaction(), {"name": name, "valueCode": value})
    assert refused.value.status == 422
    assert [issue.detail for issue in refused.value.issues] == [f"consent.{detail}"]


@pytest.mark.skipif(not can_print(), reason=f"a PDF needs: {INSTALL}")
async def test_the_sheet_is_printed_as_pdf() -> None:
    desk = a_whole_room()
    said = {"name": "format", "valueCode": "application/pdf"}
    call = Call({"resourceType": "Parameters", "parameter": [said]}, desk.hold(a_reaction()))
    answer = (await adr_form_asked(call, desk)).answer or {}
    [sheet] = [one["valueAttachment"] for one in answer["parameter"] if one["name"] == "page"]
    assert sheet["contentType"] == "application/pdf" and base64.b64decode(sheet["data"]).startswith(b"%PDF-")


async def test_of_a_reaction_without_an_injection_the_drug_is_missing_and_nothing_is_made_up() -> None:
    bare = {"resourceType": "AdverseEvent", "id": "c-bare", "actuality": "actual", "subject": PATIENT}
    form, _, lacking = await asked(a_room(), bare)
    assert {"generic-name", "lot", "usage", "used-from", "reaction-time", "process"} <= lacking
    assert (
        form["lines"]["generic_name"] == ""
        and IOHEXOL["coding"][0]["code"] not in json.dumps(form)
        and EXAM not in json.dumps(form)
    )


async def test_what_a_client_wrote_is_shown_as_text_and_runs_nothing() -> None:
    desk = a_whole_room()
    desk.hold(a_request(reasonCode=[{"text": "<script>alert(1)</script>"}]), source="order")
    _, page, _ = await asked(desk, a_reaction())
    assert "<script>" not in page and "&lt;script&gt;" in page


@pytest.mark.parametrize(
    ("name", "short"),
    [
        ([{"text": "欧阳明"}], "欧**"),
        ([{"family": "Kim", "given": ["Min", "Ho"]}], "K.M.H."),
        ([], ""),
        ([{"use": "old"}], ""),
    ],
)
def test_a_name_is_shortened(name: list[Resource], short: str) -> None:
    assert initials({"name": name}) == short
