"""The ladder explored: in every state that can be reached the four promises hold; `--model-states` looks at more of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.ladder_model import Broken, explored
from tests.support.ladder_world import HAPPENINGS, World, acknowledged


@pytest.mark.clause("5.9.1")
async def test_no_way_leads_to_a_case_that_is_silent_skips_a_step_or_rings_after_the_answer(
    tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    most = request.config.getoption("--model-states")
    found = await explored(tmp_path, most=most)
    print(f"\n{found}")  # noqa: T201 - the figures, for whoever asks for more states
    assert found.whole or found.states == most
    assert {"notifying", "escalated", "read-back-confirmed", "closed"} <= found.kinds


async def test_the_search_finds_a_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An answer that forgets the time to act would be a case that nobody looks at again."""

    async def forgetful(world: World) -> None:
        await acknowledged(world)
        for key in [key for key in world.ringing.armed if key.startswith("act:")]:
            del world.ringing.armed[key]

    monkeypatch.setitem(HAPPENINGS, "acknowledged", forgetful)
    with pytest.raises(Broken, match="without a deadline"):
        await explored(tmp_path, most=100)
