"""The shape of received resources: each fault is told at its place, in both languages, without echo."""

import copy
import gzip
import json
from decimal import Decimal
from typing import Any

import pytest
from slipring.fhir.checks.compile_schema import SCHEMA_FILE, Compiler
from slipring.fhir.checks.shape import check, warm
from slipring.fhir.models import model, typed

DIV = '<div xmlns="http://www.w3.org/1999/xhtml">{}</div>'

REQUEST: dict[str, Any] = {
    "resourceType": "ServiceRequest",
    "id": "o-1",
    "text": {"status": "generated", "div": DIV.format("<p>CT <b>chest</b></p>")},
    "contained": [{"resourceType": "Practitioner", "id": "p1", "name": [{"family": "Li"}]}],
    "identifier": [{"system": "urn:oid:1.2.3", "value": "A1"}],
    "status": "active",
    "intent": "order",
    "subject": {"reference": "Patient/o-2", "type": "Patient"},
    "occurrenceDateTime": "2026-01-31T08:00:00+08:00",
    "requester": {"reference": "#p1"},
    "reasonReference": [{"reference": "Condition/1/_history/2"}],
    "note": [{"time": "2026-01-31", "text": "contrast"}],
    "extension": [{"url": "http://x/e", "valueDecimal": Decimal("72.50")}],
}


def with_(changes: dict[str, Any], resource: dict[str, Any] = REQUEST) -> dict[str, Any]:
    changed = copy.deepcopy(resource) | changes
    return {key: value for key, value in changed.items() if value is not ...}


def told(resource: dict[str, Any]) -> list[tuple[str, str]]:
    issues = check(resource)
    assert all(issue.en and issue.zh and issue.severity == "error" for issue in issues)
    return [(issue.at, issue.detail.removeprefix("shape.")) for issue in issues]


def test_a_sound_request_passes() -> None:
    warm("ServiceRequest")
    assert check(REQUEST) == []


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"status": ...}, ("ServiceRequest.status", "required")),
        ({"subject": ...}, ("ServiceRequest.subject", "required")),
        ({"status": "bogus"}, ("ServiceRequest.status", "code")),
        ({"colour": "red"}, ("ServiceRequest.colour", "unknown")),
        ({"identifier": []}, ("ServiceRequest.identifier", "empty")),
        ({"quantityQuantity": {}}, ("ServiceRequest.quantityQuantity", "empty")),
        ({"priority": None}, ("ServiceRequest.priority", "null")),
        ({"note": {"text": "x"}}, ("ServiceRequest.note", "type")),
        ({"language": "Chinese, simplified"}, ("ServiceRequest.language", "value")),
        ({"language": "zh_CN"}, ("ServiceRequest.language", "value")),
        ({"id": "x" * 65}, ("ServiceRequest.id", "value")),
        ({"subject": {"reference": "Medication/1"}}, ("ServiceRequest.subject.reference", "target")),
        ({"subject": {"reference": "http://a/fhir/Medication/1"}}, ("ServiceRequest.subject.reference", "target")),
        ({"subject": {"reference": "Medication?code=1"}}, ("ServiceRequest.subject.reference", "target")),
        ({"subject": {"reference": "nothing"}}, ("ServiceRequest.subject.reference", "target")),
        ({"subject": {"type": "Medication", "display": "x"}}, ("ServiceRequest.subject.type", "code")),
        ({"note": [{"time": "yesterday", "text": "x"}]}, ("ServiceRequest.note[0].time", "value")),
        ({"note": [{"time": "2026-02-29", "text": "x"}]}, ("ServiceRequest.note[0].time", "value")),
        ({"note": [{"time": "2026-01-31"}]}, ("ServiceRequest.note[0].text", "required")),
        ({"occurrenceDateTime": "2026-01-31T08:00:00"}, ("ServiceRequest.occurrenceDateTime", "value")),
        ({"occurrencePeriod": {"start": "2026"}}, ("ServiceRequest.occurrencePeriod", "choice")),
        ({"asNeededBoolean": "true"}, ("ServiceRequest.asNeededBoolean", "type")),
        ({"requester": {"reference": "#p2"}}, ("ServiceRequest.requester.reference", "contained")),
        ({"requester": {"reference": "#p1", "type": "Patient"}}, ("ServiceRequest.requester.type", "target")),
        ({"extension": [{"valueCode": "x"}]}, ("ServiceRequest.extension[0].url", "required")),
        ({"extension": [{"url": "u"}]}, ("ServiceRequest.extension[0]", "extension")),
        (
            {"extension": [{"url": "u", "valueCode": "x", "extension": [{"url": "v", "valueCode": "x"}]}]},
            ("ServiceRequest.extension[0]", "extension"),
        ),
        (
            {"extension": [{"url": "u", "valueRatioRange": {"denominator": {"value": 1}}}]},
            ("ServiceRequest.extension[0].valueRatioRange", "unknown"),
        ),
        (
            {"contained": [{"resourceType": "Practitioner", "id": "p1", "gender": "x"}]},
            ("ServiceRequest.contained[0].gender", "code"),
        ),
        (
            {"contained": [{"resourceType": "Practitioner", "id": "p1", "contained": [{"resourceType": "Patient"}]}]},
            ("ServiceRequest.contained[0].contained", "contained"),
        ),
    ],
)
def test_a_fault_is_told_at_its_place(changes: dict[str, Any], expected: tuple[str, str]) -> None:
    assert expected in told(with_(changes))


@pytest.mark.parametrize(
    "reference",
    [
        "Patient/1",
        "Patient/1/_history/2",
        "http://his.example/fhir/Patient/1",
        "https://his.example/patients/1",
        "urn:uuid:c757873d-ec9a-4326-a141-556f43239520",
        "Patient?identifier=urn:oid:1.2.3|7",
    ],
)
def test_every_way_to_refer_to_an_allowed_type_passes(reference: str) -> None:
    assert told(with_({"subject": {"reference": reference}})) == []


def test_all_faults_are_told_at_once() -> None:
    broken = with_({"status": "bogus", "intent": ..., "colour": 1, "note": [{"text": ""}]})
    assert {place for place, _ in told(broken)} == {
        "ServiceRequest.status",
        "ServiceRequest.intent",
        "ServiceRequest.colour",
        "ServiceRequest.note[0].text",
    }


def test_messages_never_repeat_what_was_sent() -> None:
    broken = with_({"status": "Zhang San", "subject": {"reference": "Zhang San"}, "note": [{"time": "Zhang San"}]})
    broken["Zhang San"] = "Zhang San"
    assert not [issue for issue in check(broken) if "Zhang" in issue.en + issue.zh + issue.at]


@pytest.mark.parametrize(
    "inside",
    [
        "<script>x()</script>",
        '<p onclick="x()">a</p>',
        '<a href="java&#x0A;script:x()">a</a>',
        '<a href="data:text/html,x">a</a>',
        '<iframe src="http://x"/>',
        "<form><p>a</p></form>",
        '<svg xmlns="http://www.w3.org/2000/svg"><script/></svg>',
        '<p ONCLICK="x">a</p>',
        "<SCRIPT>x</SCRIPT>",
        "<style>p { color: red }</style>",
        '<a href="data:;base64,PHNjcmlwdD4=">a</a>',
        '<a href="blob:https://x/1">a</a>',
        '<a href="ja&#x200B;vascript:x">a</a>',
        '<a href="ja&#xAD;vascript:x">a</a>',
        '<a href="&#xFF4A;avascript:x">a</a>',
        '<a href="feed:javascript:x">a</a>',
        '<a xml:base="http://x/" href="y">a</a>',
        '<a xmlns:x="http://www.w3.org/1999/xlink" x:href="http://y">a</a>',
        '<img src="file:///etc/passwd"/>',
        '<img src="data:image/svg+xml;base64,AA"/>',
        '<p style="background:url(http://x)">a</p>',
        '<p style="background:u\\72l(http://x)">a</p>',
        '<p style="width:exp/**/ression(x)">a</p>',
        '<p style="behavior:none">a</p>',
        '<p style="position: fixed; top: 0">a</p>',
        "<!--> <img src=x onerror=x> -->",
        "<!--[if IE]><p>a</p><![endif]-->",
    ],
)
def test_a_narrative_that_does_something_is_refused(inside: str) -> None:
    text = {"status": "generated", "div": DIV.format(inside)}
    assert told(with_({"text": text})) == [("ServiceRequest.text.div", "script")]


@pytest.mark.parametrize(
    "div",
    [
        DIV.format("<p>not closed"),
        DIV.format("&nbsp;"),
        "<div>no namespace</div>",
        '<p xmlns="http://www.w3.org/1999/xhtml">no div</p>',
        '<!DOCTYPE div [<!ENTITY a "b">]>' + DIV.format("&a;"),
        DIV.format("<?php x ?>"),
        DIV.format("<![CDATA[x><img src=x onerror=x>]]>"),
        DIV.format('<p data-x="y">a</p>'),
        DIV.format('<p srcdoc="x">a</p>'),
        DIV.format('<p contenteditable="true">a</p>'),
        '<?xml version="1.0"?>' + DIV.format("a"),
        '<!DOCTYPE d [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]>' + DIV.format("&b;"),
        "plain",
    ],
)
def test_a_narrative_that_is_no_plain_xhtml_is_refused(div: str) -> None:
    text = {"status": "generated", "div": div}
    assert told(with_({"text": text})) == [("ServiceRequest.text.div", "xhtml")]


@pytest.mark.parametrize(
    "inside",
    [
        '<p id="a" class="b" title="注意：c" lang="zh" xml:lang="zh" dir="ltr" style="color: red; font-weight: bold">a</p>',
        '<a href="https://x/y?z=1#a">a</a><a href="#a">b</a><a href="//x/y">c</a><a href="mailto:x@y.example">d</a>',
        '<img src="http://x/a.png" alt="a" width="10"/><img src="data:image/png;base64,iVBORw0KGgo=" alt="b"/>',
        '<table border="1"><tr><td colspan="2" align="left" valign="top">a</td></tr></table>',
        "<!-- 2026 --><p>1 &lt; 2 &amp; 3</p>",
    ],
)
def test_a_narrative_of_formatting_passes(inside: str) -> None:
    assert told(with_({"text": {"status": "generated", "div": DIV.format(inside)}})) == []


@pytest.mark.parametrize(
    "url", ["javascript:x()", " JavaScript:x()", "vbscript:x", "data:text/html,<script>x</script>"]
)
def test_an_address_that_would_run_something_is_refused(url: str) -> None:
    document = {
        "resourceType": "DocumentReference",
        "status": "current",
        "content": [{"attachment": {"contentType": "text/html", "url": url}}],
    }
    assert ("DocumentReference.content[0].attachment.url", "script") in told(document)


@pytest.mark.parametrize("language", ["zh", "zh-CN", "zh-Hans-CN", "en-US", "de-1996", "x-dialect", "i-klingon"])
def test_a_language_is_a_tag_of_bcp_47(language: str) -> None:
    assert told(with_({"language": language})) == []


@pytest.mark.parametrize("kind", ["pdf", "application/", "/pdf", "text html/x", "a/b/c"])
def test_a_content_type_is_a_media_type(kind: str) -> None:
    photo = {"resourceType": "Patient", "photo": [{"contentType": kind}]}
    assert told(photo) == [("Patient.photo[0].contentType", "value")]


def test_an_address_of_a_page_or_an_image_passes() -> None:
    for url in ("https://x/a.html", "Binary/1", "urn:oid:1.2.3", "data:image/png;base64,AA=="):
        document = {
            "resourceType": "DocumentReference",
            "status": "current",
            "content": [{"attachment": {"contentType": "text/html", "url": url}}],
        }
        assert told(document) == []


def test_a_missing_primitive_may_be_explained_by_an_extension() -> None:
    absent = {"extension": [{"url": "http://x/absent", "valueCode": "unknown"}]}
    assert told(with_({"status": ..., "_status": absent})) == []


def test_gaps_in_lists_are_allowed_only_beside_their_sibling() -> None:
    patient: dict[str, Any] = {"resourceType": "Patient"}
    sibling = {"extension": [{"url": "http://x/absent", "valueCode": "unknown"}]}
    sound = patient | {"name": [{"given": ["A", None], "_given": [None, sibling]}]}
    assert told(sound) == []
    broken = patient | {"name": [{"given": ["A", None]}]}
    assert told(broken) == [("Patient.name[0].given[1]", "null")]


def test_whole_numbers_written_with_a_point_are_refused() -> None:
    parameters: dict[str, Any] = {"resourceType": "Parameters", "parameter": [{"name": "n", "valueInteger": 3}]}
    assert told(parameters) == []
    parameters["parameter"][0]["valueInteger"] = Decimal("3.0")
    assert told(parameters) == [("Parameters.parameter[0].valueInteger", "type")]


def test_a_required_choice_is_named_when_none_is_given() -> None:
    administration = {
        "resourceType": "MedicationAdministration",
        "status": "completed",
        "medicationCodeableConcept": {"text": "iohexol"},
        "subject": {"reference": "Patient/1"},
    }
    assert told(administration) == [("MedicationAdministration.effective", "required")]


def test_a_required_concept_needs_a_code_of_its_value_set() -> None:
    allergy: dict[str, Any] = {
        "resourceType": "AllergyIntolerance",
        "patient": {"reference": "Patient/1"},
        "clinicalStatus": {"coding": [{"system": "http://x", "code": "active"}]},
    }
    assert told(allergy) == [("AllergyIntolerance.clinicalStatus.coding", "code")]
    allergy["clinicalStatus"]["coding"][0]["system"] = (
        "http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical"
    )
    assert told(allergy) == []


def test_subjects_are_those_of_r4_not_of_r4b() -> None:
    observation = {"resourceType": "Observation", "status": "final", "code": {"text": "x"}}
    assert told(observation | {"subject": {"reference": "Device/1"}}) == []
    assert told(observation | {"subject": {"reference": "Organization/1"}}) == [
        ("Observation.subject.reference", "target")
    ]


def test_resources_in_bundles_and_parameters_are_checked_at_their_place() -> None:
    broken = with_({"status": "bogus"})
    bundle = {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": REQUEST}, {"resource": broken}]}
    assert told(bundle) == [("Bundle.entry[1].resource.status", "code")]
    nested = {"name": "a", "part": [{"name": "b", "resource": broken}]}
    assert told({"resourceType": "Parameters", "parameter": [nested]}) == [
        ("Parameters.parameter[0].part[0].resource.status", "code")
    ]


@pytest.mark.parametrize(
    "resource", [{}, {"resourceType": 7}, {"resourceType": "SubscriptionStatus"}, {"resourceType": "Nonsense"}]
)
def test_a_type_that_is_not_r4_is_refused(resource: dict[str, Any]) -> None:
    assert [place.rpartition(".")[2] for place, _ in told(resource)] == ["resourceType"]


def test_the_schema_file_is_what_the_metadata_and_the_data_files_make() -> None:
    made = json.loads(json.dumps(Compiler().compile()))
    kept = json.loads(gzip.decompress(SCHEMA_FILE.read_bytes()))
    assert kept == made, "run python -m slipring.fhir.checks.compile_schema"


def test_models_read_a_tree_typed() -> None:
    assert typed(REQUEST).subject.reference == "Patient/o-2"
    assert model("Task").__name__ == "Task"
