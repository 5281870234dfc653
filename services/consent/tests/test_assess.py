"""`QuestionnaireResponse/$assess`: what each pack says about what was sent and what is known here, storing nothing."""

from datetime import timedelta

import pytest
from slipring.fhir.caller import Caller
from slipring.fhir.outcome import FhirError
from slipring.fhir.service import Resource
from slipring_consent.handlers.assess import assessed
from slipring_consent.reading import instant
from slipring_consent.settings import ConsentSettings

from tests.support.assessing import ATC, SOMEBODY_ELSE, a_bundle, a_call, a_patient, answered, part_of, parts_named
from tests.support.contrast import a_department, a_request, a_screening, an_egfr
from tests.support.desk import A_NOON, ADesk


@pytest.mark.clause("5.4.1")
async def test_metformin_with_an_egfr_of_28_under_three_packs() -> None:
    desk = ADesk(letter="c")
    bundle = a_bundle(a_patient(), a_request(), an_egfr(28))
    told = await answered(desk, bundle=bundle, response=a_screening(metformin="Y"))
    assert {name: one["clearance"] for name, one in told.items()} == {
        "esur-10": "precautions",
        "acr-2024": "precautions",
        "csr-2": "physician-decision",
    }
    assert [told[name]["found"]["consent.metformin"] for name in ("csr-2", "esur-10", "acr-2024")] == [
        "ask",
        "warn",
        "warn",
    ]
    [issue] = [one for one in told["esur-10"]["issues"] if "consent.metformin" in str(one["code"])]
    assert "28" in issue["detail"] and "Stop metformin" in str(issue["_detail"])
    assert {"text": "egfr_ml_min: 28"} in [code for one in issue["evidence"] for code in one["code"]]
    assert "29417249" in issue["text"]["div"]


@pytest.mark.clause("5.4.1")
async def test_packs_that_disagree_are_named_with_what_each_says_and_where_it_stands() -> None:
    bundle = a_bundle(a_patient(), a_request(), an_egfr(28))
    changes = await assessed(a_call(bundle=bundle, response=a_screening(metformin="Y")), ADesk(letter="c"))
    assert changes.answer is not None
    [metformin] = [
        one for one in parts_named(changes.answer, "disagreement") if part_of(one, "rule") == "consent.metformin"
    ]
    positions = [one for one in metformin["part"] if one["name"] == "position"]
    assert {part_of(one, "policy"): part_of(one, "weight") for one in positions} == {
        "csr-2": "ask", "esur-10": "warn", "acr-2024": "warn",
    }  # fmt: skip
    assert all("metformin" in part_of(one, "source").lower() for one in positions)


async def test_one_pack_by_itself_disagrees_with_nobody() -> None:
    call = a_call(response=a_screening(hyperthyroidism="Y"), policy=["csr-2"])
    changes = await assessed(call, ADesk(letter="c"))
    assert changes.answer is not None
    assert parts_named(changes.answer, "disagreement") == []
    assert [part_of(one, "policy") for one in parts_named(changes.answer, "assessment")] == ["csr-2"]


async def test_the_departments_own_pack_comes_first_where_none_is_named() -> None:
    desk = ADesk(letter="c", settings=ConsentSettings(policy="csr-2"))
    assert next(iter(await answered(desk, response=a_screening()))) == "csr-2"


@pytest.mark.parametrize("name", ["acr-1999", "", "ESUR-10"])
async def test_an_unknown_pack_is_refused_with_the_names_of_those_there_are(name: str) -> None:
    with pytest.raises(FhirError) as refused:
        await assessed(a_call(response=a_screening(), policy=[name]), ADesk(letter="c"))
    [issue] = refused.value.issues
    assert (refused.value.status, issue.detail, issue.at) == (422, "consent.policy-unknown", "Parameters.parameter[1]")
    assert all(pack in issue.en and pack in issue.zh for pack in ("csr-2", "esur-10", "acr-2024"))


@pytest.mark.clause("5.3.2.5")
async def test_facts_without_any_answers_leave_what_nobody_asked_unknown() -> None:
    told = await answered(ADesk(letter="c"), bundle=a_bundle(a_patient(), a_request(), an_egfr(90)))
    for one in told.values():
        assert one["clearance"] == "physician-decision"
        asked = {rule for rule, weight in one["found"].items() if weight == "ask"}
        assert {"consent.prior-reaction", "consent.thyroid", "consent.metformin"} <= asked
        assert one["found"]["consent.history-asked"] == "info"


async def test_nothing_at_all_is_refused() -> None:
    with pytest.raises(FhirError) as refused:
        await assessed(a_call(), ADesk(letter="c"))
    assert (refused.value.status, refused.value.issues[0].detail) == (400, "consent.assess-nothing-given")


async def test_what_a_bundle_holds_of_another_patient_is_not_used() -> None:
    theirs = {**an_egfr(12), "id": "o-theirs", "subject": SOMEBODY_ELSE}
    allergy: Resource = {
        "resourceType": "AllergyIntolerance", "id": "o-a", "patient": SOMEBODY_ELSE, "criticality": "high",
        "code": {"coding": [{"system": ATC, "code": "V08AB02"}]},
    }  # fmt: skip
    other = a_patient(id="o-other", gender="female")
    bundle = a_bundle(other, theirs, allergy, a_patient(), a_request(), an_egfr(90))
    told = await answered(ADesk(letter="c"), bundle=bundle, response=a_screening())
    assert told["esur-10"]["found"].keys() <= {"consent.history-asked"}


async def test_two_patients_without_a_word_whom_it_is_about_are_refused() -> None:
    bundle = a_bundle(an_egfr(90), {**an_egfr(20), "id": "o-2", "subject": SOMEBODY_ELSE})
    with pytest.raises(FhirError) as refused:
        await assessed(a_call(bundle=bundle), ADesk(letter="c"))
    assert (refused.value.status, refused.value.issues[0].detail) == (422, "consent.assess-whom")


async def test_answers_kept_here_are_judged_with_what_is_known_here() -> None:
    desk = a_department(an_egfr(28), a_screening(metformin="Y"))
    told = await answered(desk, response_reference={"reference": "QuestionnaireResponse/c-screening"})
    assert told["csr-2"]["found"]["consent.metformin"] == "ask"
    assert told["esur-10"]["found"]["consent.renal-function"] == "warn"


async def test_copies_count_beside_a_bundle_about_a_patient_who_is_known_here() -> None:
    desk = a_department(an_egfr(28))
    told = await answered(desk, bundle=a_bundle(a_request()), response=a_screening())
    assert told["esur-10"]["found"]["consent.renal-function"] == "warn"


async def test_who_may_not_read_the_patients_results_is_told_nothing_of_them() -> None:
    narrow = Caller(client="a-form", scopes=frozenset({"system/QuestionnaireResponse.r"}))
    desk = a_department(an_egfr(28), a_screening(), caller=narrow)
    told = await answered(desk, response=a_screening(), bundle=a_bundle(a_request()))
    assert told["esur-10"]["found"]["consent.renal-function"] == "ask"
    with pytest.raises(FhirError) as refused:
        await assessed(a_call(response_reference={"reference": "QuestionnaireResponse/c-screening"}), desk)
    assert (refused.value.status, refused.value.issues[0].detail) == (403, "consent.assess-out-of-reach")


@pytest.mark.parametrize("reference", ["QuestionnaireResponse/c-nobody", "Patient/o-pat", "#1", ""])
async def test_a_reference_to_no_answers_is_refused(reference: str) -> None:
    with pytest.raises(FhirError) as refused:
        await assessed(a_call(response_reference={"reference": reference}), a_department())
    assert (refused.value.status, refused.value.issues[0].detail) == (422, "consent.assess-response-unknown")


async def test_answers_to_another_form_are_refused_and_not_passed_over() -> None:
    other = {**a_screening(), "questionnaire": "https://example.org/Questionnaire/mri|1"}
    with pytest.raises(FhirError) as refused:
        await assessed(a_call(response=other), ADesk(letter="c"))
    assert (refused.value.status, refused.value.issues[0].detail) == (422, "consent.assess-other-form")


async def test_answers_that_were_entered_in_error_are_no_answers() -> None:
    void = {**a_screening(), "status": "entered-in-error"}
    told = await answered(ADesk(letter="c"), response=void, bundle=a_bundle(a_patient(), an_egfr(90)))
    assert told["esur-10"]["found"]["consent.thyroid"] == "ask"


async def test_the_newest_answers_in_a_bundle_are_the_ones_that_count() -> None:
    earlier = {**a_screening(hyperthyroidism="Y"), "id": "c-1", "authored": instant(A_NOON - timedelta(days=2))}
    bundle = a_bundle(earlier, a_screening(), a_patient(), a_request(), an_egfr(90))
    assert "consent.thyroid" not in (await answered(ADesk(letter="c"), bundle=bundle))["esur-10"]["found"]


async def test_each_issue_says_whether_the_department_has_confirmed_what_it_rests_on() -> None:
    desk = ADesk(letter="c", settings=ConsentSettings(confirmed=frozenset({"csr-2"})))
    told = await answered(desk, response=a_screening(hyperthyroidism="Y"))
    assert {name: one["clearance"] for name, one in told.items()} == {
        "esur-10": "contraindicated", "csr-2": "contraindicated", "acr-2024": "physician-decision",
    }  # fmt: skip
    said = {}
    for name, one in told.items():
        [issue] = [each for each in one["issues"] if "consent.thyroid" in str(each["code"])]
        said[name] = "unconfirmed default" in issue["text"]["div"]
    assert said == {"esur-10": True, "csr-2": False, "acr-2024": True}
