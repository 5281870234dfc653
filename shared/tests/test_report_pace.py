"""A page of text is checked in the time of a small loop, and two pages in the time of two: no sentence makes it crawl."""

import pytest
from slipring.qc.report import ReportText, checked

from tests.bench.checking import a_page, best


def _a_loop() -> None:
    total = 0
    for number in range(150_000):  # about 5 ms on a machine of 2024 that does nothing else
        total += number


def test_a_page_is_checked_within_a_few_small_loops() -> None:
    for language in ("zh", "en"):
        page = a_page(language)
        checked(page)
        assert best(lambda p=page: checked(p)) < 6 * best(_a_loop), "measured 0.4 to 1.7 loops"  # type: ignore[misc]


def test_four_pages_take_no_more_than_four_times_as_long_and_a_little() -> None:
    for language in ("zh", "en"):
        one, four = a_page(language), a_page(language, 4)
        checked(four)
        assert best(lambda p=four: checked(p), 5) < 16 * best(lambda p=one: checked(p), 15)  # type: ignore[misc]


def test_a_sentence_without_end_is_answered() -> None:
    """No full stop, no comma: every word reaches as far as it can."""
    endless = "未见肺栓塞及主动脉夹层可能左侧气胸右侧结节大小约" * 200
    short = endless[: len(endless) // 4]
    texts = [ReportText({"findings": text, "impression": "."}, body_part="chest") for text in (short, endless)]
    spent = [best(lambda p=text: checked(p), 3) for text in texts]  # type: ignore[misc]
    assert spent[1] < 40 * spent[0], "at worst as the square of its length"


def test_a_name_said_over_and_over_in_one_breath_is_answered() -> None:
    """Each of its mentions is weighed against the others, yet looked at itself only once."""
    text = ReportText({"findings": "未见出血" * 125, "impression": "."}, body_part="chest")
    assert best(lambda: checked(text), 3) < 40 * best(_a_loop), "measured 7 loops; 150 where each looked at all others"


@pytest.mark.parametrize("said", ["右侧气胸，未见积液。", "no dissection;", "5 x 4, "])
def test_a_text_of_many_pages_takes_as_many_times_as_long_as_it_is_longer(said: str) -> None:
    """Somebody pastes a megabyte: a hundred thousand findings, breaths or numbers are each looked at once."""
    texts = [
        ReportText({"findings": said * many, "impression": "右侧气胸。"}, body_part="chest") for many in (300, 2400)
    ]
    spent = [best(lambda p=text: checked(p), 3) for text in texts]  # type: ignore[misc]
    assert spent[1] < 24 * spent[0], "8 times the text; 64 where each looks at all"
