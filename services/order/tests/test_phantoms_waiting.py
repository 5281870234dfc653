"""Kept phantom series are measured one after the other: whole, and whatever becomes of the one before."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import pytest
from slipring.fhir.beside import Inside
from slipring_order.dicom import phantoms
from slipring_order.equipment.series import Measured

from tests.support.phantoms import Phantom


@dataclass
class Acted:
    """The way into the service, as far as a measured series goes it."""

    acts: int = 0
    settings: Any = field(default_factory=lambda: type("S", (), {"zone": None}))

    async def act(self, *_: Any) -> None:
        self.acts += 1


@pytest.fixture
def kept(tmp_path: Path) -> Callable[[str, str], Path]:
    def one(series: str, image: str) -> Path:
        file = tmp_path / "study" / series / f"{image}.dcm"
        file.parent.mkdir(parents=True, exist_ok=True)
        Phantom(matrix=64).dataset().save_as(file, enforce_file_format=True)
        return file

    return one


async def measured_until(
    folder: Path, acts: int, measure: Callable[[Sequence[Path]], None], monkeypatch: pytest.MonkeyPatch
) -> phantoms.Phantoms:
    """Run over what lies in a folder until so many series are on record."""

    def measuring(files: Sequence[Path], _: Any) -> Measured:
        measure(files)
        return Measured()

    monkeypatch.setattr(phantoms, "_QUIET_SECONDS", -60.0)
    monkeypatch.setattr(phantoms, "_LOOK_SECONDS", 0.01)
    monkeypatch.setattr(phantoms, "measure", measuring)
    inside = Acted()
    found = phantoms.Phantoms(cast("Inside", inside), folder, {})
    running = asyncio.create_task(found.run())
    async with asyncio.timeout(20):
        while inside.acts < acts and not running.done():
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.05)
    assert not running.done() and inside.acts == acts
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    return found


@pytest.mark.parametrize("gone", [True, False])
async def test_a_series_whose_folder_is_gone_or_cannot_be_read_holds_up_no_other(
    gone: bool, tmp_path: Path, kept: Callable[[str, str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    for series in ("1", "2"):
        (kept(series, "a").parent / "from").write_text("CT1")
    first = tmp_path / "study" / "1"
    if not gone:
        (first / "b.dcm").symlink_to(first / "nowhere")

    def tidied_up(files: Sequence[Path]) -> None:
        if files[0].parent == first:
            shutil.rmtree(first)

    found = await measured_until(tmp_path, 1, tidied_up, monkeypatch)
    assert (tmp_path / "study" / "2" / "measured").exists() and found.waiting == (0 if gone else 1)


async def test_a_series_that_still_arrives_while_it_is_measured_is_measured_again_as_a_whole(
    tmp_path: Path, kept: Callable[[str, str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    (kept("1", "a").parent / "from").write_text("CT1")
    seen: list[int] = []

    def arriving(files: Sequence[Path]) -> None:
        seen.append(len(files))
        if len(seen) == 1:
            kept("1", "b")

    found = await measured_until(tmp_path, 1, arriving, monkeypatch)
    assert seen == [1, 2] and found.waiting == 0
