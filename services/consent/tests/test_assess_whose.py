"""Whose facts a Bundle holds, in every way a Bundle can name a person: nobody else's are used, and nobody's neither."""

from typing import Any

import pytest
from slipring.fhir.outcome import FhirError
from slipring.fhir.service import Resource

from tests.support.assessing import SOMEBODY_ELSE, a_bundle, a_patient, answered
from tests.support.contrast import PATIENT, a_request, a_screening, an_egfr
from tests.support.desk import ADesk

ONE, TWO = "urn:uuid:0c3d5a34-0000-4000-8000-000000000001", "urn:uuid:0c3d5a34-0000-4000-8000-000000000002"


def without_id(one: Resource) -> Resource:
    return {name: value for name, value in one.items() if name != "id"}


def entries(**by_url: Resource) -> Resource:
    return {
        "resourceType": "Bundle", "type": "transaction",
        "entry": [{"fullUrl": url, "resource": one} for url, one in by_url.items()],
    }  # fmt: skip


async def assessed(bundle: Resource, response: Resource | None = None) -> dict[str, str]:
    told = await answered(ADesk(letter="c"), bundle=bundle, response=response or a_screening())
    return dict(told["esur-10"]["found"])


@pytest.mark.clause("5.4.1")
async def test_a_result_that_names_no_patient_is_nobodys() -> None:
    nobodys = {name: value for name, value in an_egfr(90).items() if name != "subject"}
    bundle = a_bundle(a_patient(), a_request(), nobodys)
    assert (await assessed(bundle))["consent.renal-function"] == "ask"
    assert "consent.renal-function" not in await assessed(a_bundle(a_patient(), a_request(), an_egfr(90)))


async def test_two_patients_without_ids_are_told_apart_by_their_full_urls() -> None:
    well = {**without_id(an_egfr(90)), "subject": {"reference": ONE}}
    ill = {**without_id(an_egfr(12)), "subject": {"reference": TWO}}
    bundle = entries(
        **{ONE: without_id(a_patient()), TWO: without_id(a_patient()), "urn:uuid:a": well, "urn:uuid:b": ill}
    )
    mine = a_screening() | {"subject": {"reference": ONE}, "basedOn": []}
    assert "consent.renal-function" not in await assessed(bundle, mine)
    theirs = a_screening() | {"subject": {"reference": TWO}, "basedOn": []}
    assert (await assessed(bundle, theirs))["consent.renal-function"] != "ask"


async def test_a_versioned_absolute_address_names_the_patient_it_is_a_version_of() -> None:
    url = "https://his.example/fhir/Patient/o-pat"
    sample = {**an_egfr(12), "subject": {"reference": f"{url}/_history/3"}}
    bundle = entries(**{url: a_patient(), "https://his.example/fhir/Observation/o-egfr": sample})
    found = await assessed(bundle, a_screening() | {"subject": {"reference": url}, "basedOn": []})
    assert found["consent.renal-function"] != "ask"


@pytest.mark.parametrize("subject", [{"reference": "#p"}, {"display": "张三"}, {"identifier": {"value": "7"}}])
async def test_a_patient_whom_nothing_else_can_name_is_asked_for(subject: Resource) -> None:
    bundle = a_bundle({**an_egfr(90), "subject": {"reference": "#p"}, "contained": [a_patient(id="p")]})
    with pytest.raises(FhirError) as refused:
        await assessed(bundle, a_screening() | {"subject": subject, "basedOn": []})
    assert refused.value.status == 422


async def test_two_houses_patients_of_one_id_are_two_patients() -> None:
    bundle = entries(**{f"https://{house}.example/fhir/Patient/o-pat": a_patient() for house in "ab"})
    bundle["entry"].append({"fullUrl": "https://b.example/fhir/Observation/o-egfr", "resource": an_egfr(90)})
    with pytest.raises(FhirError) as refused:
        await assessed(bundle)
    assert refused.value.status == 422


@pytest.mark.parametrize("based", [[], [{"reference": "ServiceRequest/o-exam"}]])
async def test_another_patients_request_says_nothing_of_this_one(based: list[Resource]) -> None:
    stat: dict[str, Any] = {"priority": "stat", "subject": SOMEBODY_ELSE}
    mine = a_screening() | {"basedOn": based, "subject": PATIENT}
    alone = await assessed(a_bundle(a_patient()), mine)
    assert await assessed(a_bundle(a_patient(), a_request(**stat)), mine) == alone
    kept = ADesk(letter="c", holding=[a_patient(), a_request(**stat)])
    told = await answered(kept, bundle=a_bundle(a_patient()), response=mine)
    assert told["esur-10"]["found"] == alone


async def test_of_two_active_requests_the_one_of_the_person_counts() -> None:
    other = a_request(id="o-second", subject=SOMEBODY_ELSE)
    mine = a_screening() | {"basedOn": []}
    stat = await assessed(a_bundle(a_patient(), a_request(priority="stat")), mine)
    assert await assessed(a_bundle(a_patient(), a_request(priority="stat"), other), mine) == stat
