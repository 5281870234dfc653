"""Images of phantoms: how far values lie from the truth over hundreds of drawn ones, how long an image takes, and pylinac beside.

pylinac has an environment of its own: PYLINAC_PYTHON names its Python; without it that part is left out.
"""

from __future__ import annotations

import json
import math
import os
import statistics
import subprocess
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pydicom
from slipring.qc.image.analysis import Analysed, analyse
from slipring.qc.image.outline import NoPhantom
from slipring.qc.image.reading import read_slices
from slipring.qc.image.result import first

from tests.support.phantom_cases import TOLERANCES, UNITS, a_case, judged, tolerance

REAL = Path(os.environ.get("SLIPRING_REAL_DATA", Path(__file__).parents[3] / "shared" / "data")) / "ct-phantom"
_SLICES = 16  # that pylinac's daily test of the GE phantom asks for: the block at 0 mm, water beyond
_APART_MM = 5


@dataclass(frozen=True)
class Beside:
    """One value of ours and of pylinac's."""

    what: str
    ours: str
    theirs: str


def measure(folder: Path, cases: int, say: Callable[[str], None]) -> None:
    """Says the tables line by line."""
    for line in _drawn(cases):
        say(line)
    if REAL.exists():
        for line in ("", *_timed(folder)):
            say(line)


def _drawn(cases: int) -> list[str]:
    off, worst, refused = defaultdict[str, list[float]](list), list[str](), 0
    for seed in range(cases):
        phantom, stored = a_case(seed)
        try:
            found = judged(phantom, stored)
        except NoPhantom:
            refused += 1
            continue
        for item, value in found.off.items():
            off[item].append(value)
        if found.outside():
            worst.append(f"{seed}: " + ", ".join(found.outside()))
    rows = [
        f"| {item} | {UNITS[item]} | {statistics.median(off[item]):.3g} | {_percentile(off[item]):.3g} | "
        f"{max(off[item]):.3g} | {tolerance(item)} |"
        for item in TOLERANCES
    ]
    told = f"outside their tolerance: {'; '.join(worst)}" if worst else "none is outside its tolerance"
    return [
        f"{cases} water phantoms drawn by seed (150 to 320 mm, fields of 180 to 500 mm, matrices of 256 to 768, noise of 2 to "
        f"35 HU, leaning up to 10 degrees, off-centre, walls, couch, eleven ways to store): {refused} refused, {told}. "
        "`u` is the standard uncertainty that the image itself tells.",
        "",
        "| measure | unit | half are within | 95 % within | all within | tolerance |",
        "| --- | --- | --- | --- | --- | --- |",
        *rows,
    ]  # fmt: skip


def _percentile(values: list[float]) -> float:
    return sorted(values)[min(len(values) - 1, int(0.95 * len(values)))]


def _timed(folder: Path) -> list[str]:
    """The same files for both: a series of the two real slices, at the places that pylinac wants them."""
    files = _series(folder)
    for file in files:  # once unmeasured: imports and caches
        analyse(next(read_slices(file)))
    rounds = []
    for _ in range(5):
        begun = time.process_time()
        found = [analyse(next(read_slices(file))) for file in files]
        rounds.append((time.process_time() - begun) / len(files))
    ours = f"{min(rounds) * 1000:.0f} to {max(rounds) * 1000:.0f} ms"
    said = f"Processor time of one image of 512 x 512, reading included, all measures: {ours} (five rounds of {len(files)} files)."
    python = os.environ.get("PYLINAC_PYTHON")
    if not python:
        return [said, "", "pylinac: not measured (PYLINAC_PYTHON names no environment)."]
    script = Path(__file__).with_name("pylinac_daily.py")
    ran = subprocess.run([python, script, folder], check=False, capture_output=True, text=True, timeout=600)
    if ran.returncode:
        return [said, "", "pylinac: not measured (it gave up)."]
    theirs = json.loads(ran.stdout.splitlines()[-1])
    block, water = (_values(found[number]) for number in (0, -1))
    edge = first(found[-1].measured, "uniformity")
    threes = [edge.more["edge_minus_centre"][number] for number in (0, 3)] if edge else [math.nan]
    rows = [
        Beside("CT number of water, HU", f"{water['water_ct_number']:.2f}", f"{theirs['water_hu']:.2f}"),
        Beside("noise, HU", f"{water['noise_sd']:.2f}", f"{theirs['noise_hu']:.2f}"),
        Beside("edge minus centre, mean of 3 and 12 o'clock, HU", f"{statistics.fmean(threes):.2f}", f"{theirs['edge_hu']:.2f}"),
        Beside("water in the block, HU", f"{block['insert']:.1f} (the hole, found)", f"{theirs['block_water_hu']:.1f} (a box at 75 mm)"),
        Beside("MTF 50 %, 1/mm", f"{block['mtf50']:.3f} (edge of the hole)", f"{theirs['mtf50']:.3f} (relative to the 1.6 mm bars)"),
        Beside("slice thickness (5 mm, helical), mm", f"{block['slice_thickness']:.1f}", "not given"),
        Beside("processor time an image, reading included", ours, f"{theirs['seconds_each'] * 1000:.0f} ms"),
        Beside("images measured", f"{len(files)} of {len(files)}", "5 of the series"),
    ]  # fmt: skip
    return [
        said, "", f"Beside pylinac {theirs['version']} (`GEHeliosCTDaily`) on the same {len(files)} files:", "",
        "| | slipring | pylinac |", "| --- | --- | --- |", *(f"| {row.what} | {row.ours} | {row.theirs} |" for row in rows),
    ]  # fmt: skip


def _values(analysed: Analysed) -> dict[str, float]:
    """The first value of each item."""
    return {one.item: one.value for one in reversed(analysed.measured)}


def _series(folder: Path) -> list[Path]:
    files = []
    uid = pydicom.dcmread(REAL / "ge-ct750hd-qa-uniform.dcm").SeriesInstanceUID
    for number in range(_SLICES):
        part = "resolution" if number == 0 else "uniform"
        data = pydicom.dcmread(REAL / f"ge-ct750hd-qa-{part}.dcm")
        data.SeriesInstanceUID, data.InstanceNumber = uid, number + 1
        data.SOPInstanceUID = data.file_meta.MediaStorageSOPInstanceUID = f"2.25.{number + 1}"
        x, y, _ = data.ImagePositionPatient
        data.ImagePositionPatient, data.SliceLocation = [x, y, number * _APART_MM], number * _APART_MM
        files.append(folder / f"{number:02}.dcm")
        data.save_as(files[-1])
    return files
