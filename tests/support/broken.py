"""Good calls of `$assess` and `$populate`, and ways to break some of them."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

from hypothesis import strategies as st
from slipring_demo.contrast import a_screening, an_egfr

from tests.support.one_exam import OneExam

ATC = "http://www.whocc.no/atc"
# What FHIR allows somewhere, or what a careless sender writes: put in place of anything.
ODD = st.sampled_from([
    "", " ", "x", "2026", "2026-02-30", "0001-01-01", "9999-12-31", "9999-12-31T23:59:59+14:00", "24:00", -1, 0, 1e308, 10**400,
    True, None, [], {}, [None], [[]], "Patient/", "Patient/nobody", "ServiceRequest/x", "#x", "#", "urn:uuid:0", "http://x/Patient/1",
    "QuestionnaireResponse/x", "/", "二甲双胍", "esur-10", "umol/L", {"reference": 1}, {"coding": [{}]}, {"value": "1"}, [{"value": 1}],
])  # fmt: skip
Tree = Any


def facts(story: OneExam) -> Tree:
    """A Bundle with one of each kind that is looked at."""
    subject = story.cast.subject
    medicine = {"subject": subject, "medicationCodeableConcept": {"coding": [{"system": ATC, "code": "A10BA02"}]}}
    held = [
        {"resourceType": "Patient", "id": subject["reference"].partition("/")[2], "birthDate": "1966-03-02", "gender": "female"},
        {"resourceType": "ServiceRequest", "id": "e", "status": "active", "intent": "order", "subject": subject},
        {**an_egfr(story.cast), "id": "s"},
        {"resourceType": "Condition", "id": "c", "subject": subject, "code": {"text": "哮喘"}, "onsetDateTime": "2026-01"},
        {"resourceType": "AllergyIntolerance", "id": "a", "patient": subject, "reaction": [{"manifestation": [{"text": "x"}]}]},
        {"resourceType": "MedicationStatement", "id": "m", "status": "active", **medicine},
        {"resourceType": "MedicationAdministration", "id": "g", "status": "completed", "effectiveDateTime": "2026-01-01", **medicine},
        {"resourceType": "Procedure", "id": "p", "status": "completed", "subject": subject, "performedDateTime": "2026-01-01"},
        {"resourceType": "Encounter", "id": "v", "status": "in-progress", "class": {"code": "IMP"}, "subject": subject},
    ]  # fmt: skip
    entries = [{"fullUrl": f"urn:uuid:{n}", "resource": one} for n, one in enumerate(held)]
    return copy.deepcopy({"resourceType": "Bundle", "type": "collection", "entry": entries})


def assessment(story: OneExam) -> Tree:
    given = [
        {"name": "response", "resource": copy.deepcopy(a_screening(story.cast))},
        {"name": "bundle", "resource": facts(story)},
        {"name": "policy", "valueCode": "csr-2"},
    ]
    return {"resourceType": "Parameters", "parameter": given}


def filling(story: OneExam) -> Tree:
    form = "https://slipring.example/fhir/Questionnaire/contrast-screening|2"
    given = [
        {"name": "subject", "valueReference": {**story.cast.subject}},
        {"name": "context", "valueReference": {"reference": story.cast.exam}},
        {"name": "canonical", "valueCanonical": form},
    ]
    return {"resourceType": "Parameters", "parameter": given}


def places(tree: Tree, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The way to each node below the root."""
    below = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    for name, inner in below:
        yield (*at, name)
        yield from places(inner, (*at, name))


def broken(tree: Tree, at: tuple[Any, ...], how: str, put: Tree) -> None:
    """One node is replaced, taken away, said twice, or given another name."""
    *way, last = at
    holder = tree
    for name in way:
        holder = holder[name]
    if how == "replaced":
        holder[last] = copy.deepcopy(put)
    elif how == "gone":
        del holder[last]
    elif isinstance(holder, list):
        holder.append(copy.deepcopy(holder[last]))
    else:
        holder[f"{last}x"] = holder.pop(last)


@st.composite
def broken_call(draw: st.DrawFn) -> list[tuple[int, str, Tree]]:
    """What is broken in a call: which place (by its number), how, and what is put there."""
    how = st.sampled_from(["replaced", "replaced", "replaced", "gone", "twice"])
    return draw(st.lists(st.tuples(st.integers(0, 9999), how, ODD), min_size=1, max_size=3))
