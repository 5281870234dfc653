"""Many findings at once while providers fail and hang: each reaches somebody, and soon."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.bench import storm


@pytest.mark.clause("5.9.1")
async def test_nobody_is_left_untold_while_half_of_the_providers_fail_and_one_hangs(data_dir: Path) -> None:
    told = await storm.measure(data_dir, 48, 2.0, print)
    assert len(told) == 48
    assert all(one.taken is not None for one in told)
    # The time in which a case would climb to its next step is minutes: whoever was told sooner was told by another channel.
    assert max(one.taken for one in told if one.taken is not None) < 60


@pytest.mark.clause("5.9.1")
async def test_after_an_outage_the_urgent_is_told_before_what_waited_longer(data_dir: Path) -> None:
    """All that came meanwhile waits in one order of urgency, whatever its place in the lane.

    Of a provider's places some are kept for level 1, so that nothing but what was begun before it was there rings first.
    """
    order = await storm.backlog(data_dir, ["3"] * 90 + ["1"] * 6, "backlog_")
    assert sorted(order) == ["1"] * 6 + ["3"] * 90, "each was told"
    last = max(place for place, level in enumerate(order) if level == "1")
    print(f"\n{last - 5} of level 3 were rung before the last of level 1")  # noqa: T201
    assert last - 5 <= 48, "as many as may be under way beside what is kept for level 1"
