"""How words are found in a text: folded, bounded, in place; the examples beside the code hold."""

import doctest
import importlib
import pkgutil
import re

import pytest
import slipring.qc.report
from hypothesis import given
from hypothesis import strategies as st
from slipring.qc.report import SECTIONS, ReportText, checked
from slipring.qc.report.beginnings import beginnings
from slipring.qc.report.folding import folded
from slipring.qc.report.words import any_of, as_pattern, listed

MODULES = [one.name for one in pkgutil.walk_packages(slipring.qc.report.__path__, "slipring.qc.report.")]
SOUP = st.text(
    st.sampled_from(
        "未见无左右双肺肝肾气胸出血瘤可能除外较前，。；（）、 1234567890.×cmHU×?*_[]()XnoPEleftrightmass,;:\n"
    ),
    max_size=120,
)


@pytest.mark.parametrize("name", MODULES)
def test_the_examples_in_the_code_are_true(name: str) -> None:
    assert doctest.testmod(importlib.import_module(name)).failed == 0


@given(st.text(max_size=200))
def test_folding_keeps_every_character_in_its_place(text: str) -> None:
    assert len(folded(text)) == len(text)


@given(SOUP, SOUP)
def test_whatever_is_written_is_answered_with_places_inside_it(findings: str, impression: str) -> None:
    texts = {"findings": findings, "impression": impression}
    answer = checked(
        ReportText(texts, sex="male", removed_organs=("spleen",), body_part="chest", laterality="left", priors=1)
    )
    for fault in answer.faults:
        assert fault.section in SECTIONS and 0 <= fault.start <= fault.end <= len(texts.get(fault.section, ""))
    assert len({one.code for one in answer.critical}) == len(answer.critical)


def test_a_word_that_could_begin_with_anything_is_refused() -> None:
    with pytest.raises(ValueError, match="begin"):
        beginnings(".*")


CONTEXTS = {name: words for name, words in listed("contexts").items() if isinstance(words, list)}


@pytest.mark.parametrize("name", CONTEXTS)
@given(st.data())
def test_words_sought_together_are_those_that_each_pattern_finds(name: str, data: st.DataObject) -> None:
    """The look at the first letter rules nothing out that a word would have met."""
    words = CONTEXTS[name]
    plain = "".join(data.draw(st.lists(st.sampled_from([*words, " ", ",", "\r", "a", "左肺", "3"]), max_size=12)))
    one_by_one = re.compile("|".join(as_pattern(word) for word in sorted(words, key=len, reverse=True)))
    assert [hit.span() for hit in any_of(words).finditer(plain)] == [hit.span() for hit in one_by_one.finditer(plain)]
