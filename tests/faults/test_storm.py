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
