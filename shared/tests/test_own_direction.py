"""A name may hold every control of direction there is: what stands beside it on paper stays as it is."""

from __future__ import annotations

import unicodedata

from hypothesis import given
from hypothesis import strategies as st
from slipring.printing.own_direction import aside, isolated, straight

OPENS, CLOSES = ("LRI", "RLI", "FSI"), "PDI"
CONTROLS = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u2028\u2029\x85\x1c\r"
words = st.text(
    st.one_of(st.sampled_from(CONTROLS + "אمA虚1· "), st.characters(exclude_categories=["Cs"])), max_size=40
)


def depth(text: str) -> list[int]:
    """How many isolates are open after each sign (UAX 9, BD9)."""
    found, now = [], 0
    for sign in text:
        kind = unicodedata.bidirectional(sign)
        now += (kind in OPENS) - (kind == CLOSES)
        found.append(now)
    return found


@given(words)
def test_nothing_of_a_text_reaches_beyond_its_end(text: str) -> None:
    made = straight(text)
    depths = depth(made)
    assert min(depths, default=0) >= 0 and (depths or [0])[-1] == 0, "no isolate is left open, none outside is closed"
    assert {"LRE", "RLE", "LRO", "RLO", "PDF"}.isdisjoint(map(unicodedata.bidirectional, made))
    assert "B" not in {unicodedata.bidirectional(sign) for sign in made if sign != "\n"}, "it ends no paragraph"
    assert straight(made) == made


@given(st.text(st.sampled_from("虚构AאבMé 12·-/()")))
def test_what_can_be_seen_stays_in_its_order(text: str) -> None:
    assert straight(text) == text
    assert aside(text) == f"\u2068{text}\u2069"


def test_on_a_page_it_stands_alone_and_does_nothing() -> None:
    assert isolated("<b>\u202e虚构\u2069") == "<bdi>&lt;b&gt;虚构</bdi>"
