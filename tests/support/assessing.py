"""Calling `QuestionnaireResponse/$assess` on a desk, and what it told by pack and rule."""

from typing import Any

from slipring.fhir.checks.shape import check
from slipring.fhir.service import Call, Resource
from slipring_consent.handlers.assess import assessed

from tests.support.desk import ADesk

ATC = "http://www.whocc.no/atc"
SOMEBODY_ELSE = {"reference": "Patient/o-other"}


def a_bundle(*resources: Resource) -> Resource:
    return {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": one} for one in resources]}


def a_call(**parameters: Any) -> Call:
    """A call of the operation; a list repeats its parameter."""
    given = []
    for name, value in parameters.items():
        for one in value if isinstance(value, list) else [value]:
            kind = "resource" if isinstance(one, dict) and "resourceType" in one else "valueReference"
            given.append({"name": name.replace("_", "-"), ("valueCode" if isinstance(one, str) else kind): one})
    return Call({"resourceType": "Parameters", "parameter": given})


async def answered(desk: ADesk, **parameters: Any) -> dict[str, dict[str, Any]]:
    """The assessment of each pack by its name: `clearance`, and the weight of every rule that fired."""
    changes = await assessed(a_call(**parameters), desk)
    assert changes.answer is not None
    assert (list(changes.save), list(changes.keys), list(changes.wake)) == ([], [], [])
    return {part_of(one, "policy"): as_told(one) for one in parts_named(changes.answer, "assessment")}


def parts_named(answer: Resource, name: str) -> list[Resource]:
    return [one for one in answer["parameter"] if one["name"] == name]


def part_of(parameter: Resource, name: str) -> Any:
    one = next(one for one in parameter["part"] if one["name"] == name)
    return next(value for member, value in one.items() if member.startswith("value"))


def as_told(assessment: Resource) -> dict[str, Any]:
    issues = [one["resource"] for one in assessment["part"] if one["name"] == "issue"]
    for issue in issues:
        assert check(issue) == []
    found = {}
    for issue in issues:
        result = {part["url"]: part for part in issue["extension"][0]["extension"]}
        found[result["rule"]["valueCode"]] = result["weight"]["valueCode"]
    return {"clearance": part_of(assessment, "clearance"), "found": found, "issues": issues}


def a_patient(**members: Any) -> Resource:
    return {"resourceType": "Patient", "id": "o-pat", "birthDate": "1981-05-06", "gender": "male", **members}
