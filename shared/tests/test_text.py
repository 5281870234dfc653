"""Received text: strict reading, and splicing that leaves everything else as it was written."""

import json
from decimal import Decimal

import pytest
from slipring.fhir.outcome import FhirError
from slipring.fhir.text import encode, entries_text, parse, splice, tokens


def refused(body: bytes, **limits: int) -> FhirError:
    with pytest.raises(FhirError) as caught:
        parse(body, **limits)
    issue = caught.value.issues[0]
    assert issue.en and issue.zh
    return caught.value


def test_numbers_keep_the_digits_they_were_written_with() -> None:
    text, tree = parse(b'{"a": 72.50, "b": 3, "c": 1.0e-3}')
    assert tree["a"] == Decimal("72.50") and str(tree["a"]) == "72.50"
    assert tree["b"] == 3 and isinstance(tree["b"], int)
    assert text == '{"a": 72.50, "b": 3, "c": 1.0e-3}'
    assert encode(tree) == '{"a":72.50,"b":3,"c":0.0010}'


@pytest.mark.parametrize(
    ("body", "place"),
    [
        (b'{"a": {"b": 1, "c": [0, {"d": 1, "d": 2}]}}', "a.c[1].d"),
        (b'{"a": 1, "b": 2, "a": 3}', "a"),
        (b'{"a": 1, "\\u0061": 3}', "a"),
        (b'{"note": [{"text": "x"}, {"text": "bad \\ud83d"}]}', "note[1].text"),
        (b'{"note": "nul \\u0000"}', "note"),
        (b'{"note": "form feed \\f"}', "note"),
        (b'{"value": [1, 1e400]}', "value[1]"),
        (b'{"value": 1' + b"0" * 100 + b"}", "value"),
    ],
)
def test_what_cannot_be_kept_is_refused_with_its_place(body: bytes, place: str) -> None:
    error = refused(body)
    assert (error.status, error.issues[0].at) == (400, place)


@pytest.mark.parametrize(
    "body",
    [
        b'{"a": "\xff"}',
        b'{"a": NaN}',
        b'{"a": -Infinity}',
        b'{"a": 01}',
        b'{"a": "tab\there"}',
        b'{"a": 1,}',
        b'{"a": 1} x',
        b"[1]",
        b'"text"',
        b"",
        b"\xef\xbb\xbf{}",
        b"[" * 100_000,
        b'{"a":' * 70 + b"1" + b"}" * 70,
    ],
)
def test_what_is_no_plain_json_object_is_refused(body: bytes) -> None:
    assert refused(body).status == 400


def test_a_body_too_large_is_413_and_depth_is_counted_exactly() -> None:
    assert refused(b'{"a": "12345"}', max_bytes=13).status == 413
    assert parse(b'{"a": {"b": [1]}}', max_depth=3)
    assert refused(b'{"a": {"b": [1]}}', max_depth=2).status == 400


def test_tabs_line_ends_pairs_and_brackets_in_strings_are_fine() -> None:
    _, tree = parse('{"a": "\\t\\r\\n \\ud83d\\ude00 \\\\u0000 [[[{{{ 肺结节"}'.encode())
    assert tree["a"] == "\t\r\n 😀 \\u0000 [[[{{{ 肺结节"


RECEIVED = """{
  "resourceType" : "ServiceRequest",
  "meta" : {"profile": ["http://x/p"], "versionId": "77"},
  "status" : "active",
  "quantityQuantity" : {"value": 72.50},
  "note" : [ {"text": "\\u80ba \\/ \\"reference\\": \\"urn:uuid:a\\" kept"} ],
  "subject" : {"reference" : "urn:uuid:a"},
  "encounter" : {"reference":"Encounter?identifier=x|1"},
  "priority" : "routine"
}"""


def spliced(**changes: object) -> str:
    return splice(RECEIVED, id="o-1", version="1", last_updated="2026-01-31T08:00:00+08:00", **changes)  # type: ignore[arg-type]


def test_splicing_sets_id_version_and_time_and_keeps_every_other_token() -> None:
    expected = RECEIVED.replace('"meta"', '"id": "o-1", "meta"', 1).replace(
        '"versionId": "77"', '"versionId": "1", "lastUpdated": "2026-01-31T08:00:00+08:00"'
    )
    assert list(tokens(spliced())) == list(tokens(expected))
    assert list(json.loads(spliced())) == ["resourceType", "id", *list(json.loads(RECEIVED))[1:]]


def test_a_resource_without_meta_gets_it_after_its_id() -> None:
    stored = splice('{"resourceType":"Flag","status":"active"}', id="k-1", version="2", last_updated="2026")
    assert stored == (
        '{"resourceType":"Flag","id":"k-1","meta":{"versionId":"2","lastUpdated":"2026"},"status":"active"}'
    )


def test_a_received_id_is_replaced_where_it_stands() -> None:
    stored = splice('{"id":"mine","resourceType":"Flag"}', id="k-1", version="1", last_updated="2026")
    assert stored.startswith('{"id":"k-1","meta":{')


def test_references_are_rewritten_only_as_members_never_inside_strings() -> None:
    stored = spliced(references={"urn:uuid:a": "Patient/o-9", "Encounter?identifier=x|1": "Encounter/o-8"})
    tree = json.loads(stored)
    assert tree["subject"] == {"reference": "Patient/o-9"}
    assert tree["encounter"] == {"reference": "Encounter/o-8"}
    assert '\\u80ba \\/ \\"reference\\": \\"urn:uuid:a\\" kept' in stored


def test_a_reference_is_matched_by_its_whole_token() -> None:
    assert json.loads(spliced(references={"urn:uuid": "Patient/o-9"}))["subject"]["reference"] == "urn:uuid:a"


def test_members_are_replaced_added_and_removed_and_lists_are_appended_to() -> None:
    stored = spliced(
        members={"status": "revoked", "priority": None, "intent": "order"},
        append={"note": [{"text": "second"}], "identifier": [{"value": "CT1"}], "category": []},
    )
    tree = json.loads(stored)
    assert tree["status"] == "revoked" and tree["intent"] == "order" and "priority" not in tree
    assert [note["text"] for note in tree["note"]][1] == "second" and tree["identifier"] == [{"value": "CT1"}]
    assert "category" not in tree
    assert "72.50" in stored and "\\u80ba" in stored


def test_the_raw_text_of_each_bundle_entry_is_found() -> None:
    bundle = '{"resourceType":"Bundle","entry":[{"resource":{"a": 1.50}},{"request":{}},{"resource": {"b":"\\u0041"}}]}'
    assert entries_text(bundle) == ['{"a": 1.50}', None, '{"b":"\\u0041"}']
    assert entries_text('{"resourceType":"Bundle"}') == []
