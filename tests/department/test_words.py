"""The words of all rooms stand together on one page: none takes another's place."""

from __future__ import annotations

import io
from importlib import resources

from babel.messages.pofile import read_po
from slipring.front.app import PAGE_ROOMS
from slipring.pages.language import catalogue

ROOMS = (
    *PAGE_ROOMS,
    "slipring.department",
    "slipring.bedside",
    "slipring.reading",
    "slipring.review",
    "slipring.alerts",
    "slipring.oncall",
    "slipring.inspection",
)


def test_rooms_that_use_one_english_word_mean_one_chinese_word_by_it() -> None:
    seen: dict[tuple[str | None, str], set[str]] = {}
    for room in ROOMS:
        file = resources.files(room).joinpath("locale", "zh_CN.po")
        for message in read_po(io.BytesIO(file.read_bytes()), locale="zh_CN"):
            if message.id:
                seen.setdefault((message.context, str(message.id)), set()).add(str(message.string))
    assert {at: said for at, said in seen.items() if len(said) > 1} == {}, "give one of them a context (pgettext)"


def test_one_word_is_said_by_its_context() -> None:
    whole = catalogue("zh-CN", ROOMS)
    assert whole.pgettext("emergency access", "Until") == "结束"
    assert whole.gettext("Until") == "有效至"
    assert (whole.pgettext("of a patient", "Numbers"), whole.gettext("Numbers")) == ("编号", "号码")
