"""Keys of the worklist: wildcards mean what DICOM says, whatever somebody writes between them."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st
from slipring_order.dicom.keys import same

_PATTERNS = st.text(st.sampled_from("ab*?.["), max_size=8)


@given(wanted=_PATTERNS, held=st.text(st.sampled_from("ab.[\n"), max_size=8))
def test_stars_and_question_marks_match_as_an_expression_would(wanted: str, held: str) -> None:
    expression = "".join({"*": ".*", "?": "."}.get(sign, re.escape(sign)) for sign in wanted)
    expected = not wanted.strip("*") or re.fullmatch(expression, held, re.DOTALL) is not None
    assert same(wanted, held) == expected


def test_a_key_of_many_stars_is_answered_at_once() -> None:
    """As a regular expression this one would not end today, and no scanner would be answered meanwhile."""
    assert not same("*?" * 30 + "b", "a" * 64)
    assert same("*a" * 30 + "*", "a" * 64)
