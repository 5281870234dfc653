"""How long after the injection a reaction began: the bounds belong to the earlier name, and what is no moment has none."""

import pytest
from slipring_consent.department import limits_of
from slipring_consent.reactions.timing import in_words, timing

from tests.support.contrast import an_injection
from tests.support.reacting import a_reaction, a_room

ZONE = "Asia/Shanghai"


@pytest.mark.parametrize(
    ("began", "code", "words"),
    [
        ("2026-03-02T12:00:00+08:00", "acute", "急性，给药后 0 分钟"),
        ("2026-03-02T13:00:00+08:00", "acute", "急性，给药后 60 分钟"),
        ("2026-03-02T13:00:01+08:00", "late", "迟发，给药后 60 分钟"),
        ("2026-03-09T12:00:00+08:00", "late", "迟发，给药后 168 小时"),
        ("2026-03-09T12:00:01+08:00", "very-late", "极迟发，给药后 168 小时"),
    ],
)
@pytest.mark.parametrize("running", [False, True])
def test_a_reaction_is_acute_late_or_very_late(began: str, code: str, words: str, *, running: bool) -> None:
    given = an_injection()
    if running:
        given["effectivePeriod"] = {"start": given.pop("effectiveDateTime")}
    found = timing(a_reaction(date=began), given, limits_of(a_room()), ZONE)
    assert found is not None and (found[0], in_words(*found)) == (code, words)


@pytest.mark.parametrize("began", ["2026-03-02T11:59:59+08:00", "2026-03-03", "2026-03", None])
def test_a_reaction_before_the_injection_or_of_a_day_alone_is_none_of_them(began: str | None) -> None:
    assert timing(a_reaction(date=began), an_injection(), limits_of(a_room()), ZONE) is None
