"""The text of a report between a Composition and the fields of the editor."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from slipring.fhir.outcome import FhirError
from slipring.reading.draft import CONCLUSION, Typed, begun, changed, field_of, mark, met, words_in
from slipring.reading.result import RESULT
from slipring.reading.sections import as_div, merged, sections_of, text_of, tidy

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
REQUEST = {
    "resourceType": "ServiceRequest",
    "id": "o-q",
    "subject": {"reference": "Patient/o-p"},
    "code": {"text": "CT chest"},
}


def a_section(code: str, div: str, **members: Any) -> dict[str, Any]:
    return {
        "code": {"coding": [{"system": "http://loinc.org", "code": code}]},
        "text": {"status": "generated", "div": div},
    } | members


def a_text(*sections: dict[str, Any]) -> dict[str, Any]:
    return {
        "resourceType": "Composition",
        "id": "r-c",
        "meta": {"versionId": "4"},
        "status": "preliminary",
        "section": [*sections],
    }


def a_report(**members: Any) -> dict[str, Any]:
    return {"resourceType": "DiagnosticReport", "id": "r-1", "meta": {"versionId": "7"}, "status": "partial"} | members


def fields(text: dict[str, Any]) -> dict[str, str]:
    return {one.name: one.text for one in sections_of(text)}


@given(st.text())
def test_what_was_typed_is_read_back_word_for_word(words: str) -> None:
    assert text_of({"text": {"div": as_div(tidy(words))}}) == tidy(words)


def test_every_section_that_the_editor_knows_has_a_field_in_the_order_of_a_report() -> None:
    assert [one.name for one in sections_of(None)] == ["11329-0", "55111-9", "18834-2", "59776-5", "19005-8", "18783-1"]


def test_a_section_that_nobody_changed_stays_as_it_was_received() -> None:
    table = a_section(
        "59776-5", "<div><table><tr><td>3.10</td></tr></table></div>", entry=[{"reference": "Observation/r-9"}]
    )
    own = {"title": "House section", "text": {"div": "<div>a<b>b</b></div>"}}
    text = a_text(table, own)
    kept = merged(text, {**fields(text), "19005-8": "Nothing new.\n\n 无新发 <病变>. "})
    assert kept[0] is table and kept[2] is own
    assert kept[1]["text"]["div"].endswith("<p>Nothing new.</p><p>无新发 &lt;病变&gt;.</p></div>")
    assert [one.formatted for one in sections_of(text) if one.text] == [True, True]


def test_an_emptied_section_goes_unless_it_holds_more_than_words() -> None:
    text = a_text(
        a_section("18834-2", "<div>old</div>"),
        a_section("59776-5", "<div>x</div>", entry=[{"reference": "Observation/r-9"}]),
    )
    [left] = merged(text, {"18834-2": " ", "59776-5": ""})
    assert left["entry"] and "text" not in left


def test_a_report_is_begun_once_for_its_request_and_points_at_its_text() -> None:
    studies = [{"id": "o-s", "started": "2026-03-02T11:00:00Z"}]
    bundle = begun(REQUEST, studies, Typed({"59776-5": "Clear.", CONCLUSION: " Clear "}), "Practitioner/o-a", NOON)
    report, text = (entry["resource"] for entry in bundle["entry"])
    assert bundle["type"] == "transaction" and bundle["entry"][0]["request"]["ifNoneExist"].startswith(
        "based-on=ServiceRequest/o-q&"
    )
    assert report["extension"][0]["valueReference"]["reference"] == bundle["entry"][1]["fullUrl"]
    assert (report["status"], report["conclusion"], report["effectiveDateTime"]) == (
        "partial",
        "Clear",
        "2026-03-02T11:00:00Z",
    )
    assert [section["code"]["coding"][0]["code"] for section in text["section"]] == ["59776-5"]


def test_a_change_names_the_versions_that_the_form_was_made_from() -> None:
    text = a_text(a_section("59776-5", "<div>old</div>"))
    typed = Typed({"59776-5": "new", "73568-8": "not the editor's"}, "7", "4")
    bundle = changed(a_report(conclusion="as\n\nit was"), text, typed, "Practitioner/o-a", NOON)
    assert [entry["request"]["ifMatch"] for entry in bundle["entry"]] == ['W/"7"', 'W/"4"']
    assert bundle["entry"][0]["resource"]["conclusion"] == "as\n\nit was", "what nobody typed stays as it is"
    assert fields(bundle["entry"][1]["resource"])["59776-5"] == "new"
    assert "not the editor's" not in str(bundle), "a section of the services is not the editor's to write"


def test_two_who_wrote_in_different_sections_lose_nothing_and_in_one_section_both_texts_are_shown() -> None:
    was = {"59776-5": "old", "19005-8": "old", "18783-1": "", CONCLUSION: ""}
    marks = {name: mark(words) for name, words in was.items()}
    mine = Typed({**was, "59776-5": "mine", "18783-1": "mine"}, "7", "4", marks)
    his = {**was, "59776-5": "his", "19005-8": "his"}
    both = met(mine, his, ("8", "5"))
    assert both.against == {"59776-5": "his"} and both.taken == {"19005-8"}
    assert both.typed.words == {**was, "59776-5": "mine", "19005-8": "his", "18783-1": "mine"}
    assert (both.typed.report_version, both.typed.text_version) == ("8", "5")
    again = met(both.typed, his, ("8", "5"))
    assert again.typed.words == both.typed.words and not again.taken, "meeting twice changes nothing"


_NAMES = ("59776-5", "19005-8", CONCLUSION)
_WORDS = st.fixed_dictionaries({name: st.sampled_from(["", "old", "mine", "his"]) for name in _NAMES})


@given(_WORDS, _WORDS, _WORDS)
def test_whatever_two_people_wrote_each_words_are_in_the_fields_or_beside_them(
    was: dict[str, str], mine: dict[str, str], his: dict[str, str]
) -> None:
    both = met(Typed(mine, "1", "1", {name: mark(words) for name, words in was.items()}), his, ("2", "2"))
    for name in _NAMES:
        shown = {both.typed.words[name], both.against.get(name, both.typed.words[name])}
        if mine[name] != was[name]:
            assert mine[name] in shown
        if his[name] != was[name] or mine[name] == was[name]:
            assert his[name] in shown


def test_words_in_no_report_are_empty_fields() -> None:
    assert set(words_in(None, None).values()) == {""}


def test_the_result_is_stated_by_the_author_among_what_else_is_concluded() -> None:
    other = {"coding": [{"system": "http://snomed.info/sct", "code": "786838002"}]}
    text = a_text(a_section("59776-5", "<div>old</div>"))
    kept = a_report(conclusionCode=[other])
    assert words_in(kept, text)[RESULT] == ""
    stated = changed(kept, text, Typed({RESULT: "positive"}, "7", "4"), "Practitioner/o-a", NOON)
    report = stated["entry"][0]["resource"]
    assert words_in(report, text)[RESULT] == "positive" and report["conclusionCode"][0] == other
    silent = changed(report, text, Typed({"59776-5": "new"}, "7", "4"), "Practitioner/o-a", NOON)
    assert silent["entry"][0]["resource"]["conclusionCode"] == report["conclusionCode"], (
        "whoever says nothing changes nothing"
    )
    taken = changed(report, text, Typed({RESULT: ""}, "7", "4"), "Practitioner/o-a", NOON)
    assert taken["entry"][0]["resource"]["conclusionCode"] == [other]
    with pytest.raises(FhirError, match="conclusionCode") as refused:
        changed(report, text, Typed({RESULT: "perhaps"}, "7", "4"), "Practitioner/o-a", NOON)
    assert field_of(refused.value.issues[0].at, stated) == RESULT
