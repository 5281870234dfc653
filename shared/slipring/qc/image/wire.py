"""The modulation transfer function from a wire or bead in water."""

from __future__ import annotations

import math

import numpy as np
from scipy.special import j0

from slipring.qc.image.bodies import Body
from slipring.qc.image.curve import FREQUENCY, Transfer, crossing
from slipring.qc.image.result import disc_region
from slipring.qc.image.section import Section
from slipring.qc.image.slice import Disc, Floats, read_disc

_ANNULUS = 8.0  # pixels around a wire that tell the water's level


def of_wire(section: Section, body: Body) -> Transfer | None:
    """From a point: the Hankel transform of what the wire or bead adds to the water around it.

    MTF(f) = sum of p(r) J0(2 pi f r) over sum of p(r). A pin that is wide against the blur has a flat top and is none.
    """
    mm, noise = section.image.spacing_mm, section.noise
    if (
        body.at_wall
        or body.long > 1.2 * body.short + 0.4
        or body.fill < 0.85
        or body.long * mm > 4.5
        or body.contrast < max(50.0, 15 * noise)
    ):
        return None
    around = math.ceil(7.0 / mm + _ANNULUS + 3)
    rows, columns = (slice(int(at) - around, int(at) + around + 1) for at in (body.y, body.x))
    if min(rows.start, columns.start) < 0 or section.image.valid[rows, columns].size != (2 * around + 1) ** 2:
        return None
    block = section.image.hu[rows, columns].astype(np.float64)
    y, x = np.mgrid[rows, columns].astype(np.float64)
    r = np.hypot(x - body.x, y - body.y)
    added = block - np.median(block[(r > 2 * body.long) & (r < 2 * body.long + _ANNULUS)])
    high = (r < 1.5 * body.long) & (added > added[r < 2].max() / 2)
    wide = min(max(3.0, 4 * math.sqrt(float(high.sum()) / math.pi)), 7.0 / mm)
    beside = (r > wide) & (r < wide + _ANNULUS)
    others = [math.hypot(body.x - one.x, body.y - one.y) - one.long / 2 for one in section.bodies if one is not body]
    if min(others, default=math.inf) < wide + 2:
        return None
    added = block - block[beside].mean()
    core = (r < wide) & (added > 0.2 * added[r < 2].max())
    if (added[core] > 0.75 * added[core].max()).sum() > 0.45 * core.sum() and core.sum() > 12:
        return None
    mx, my = (float((axis[core] * added[core]).sum() / added[core].sum()) for axis in (x, y))
    r = np.hypot(x - mx, y - my)
    use = r < wide
    waves = j0(2 * math.pi * FREQUENCY[:, None] * r[use])
    total = float(added[use].sum())
    if total <= 0:
        return None
    whole = waves @ added[use] / total
    at50, at10 = crossing(whole, 0.5), crossing(whole, 0.1)
    # The sum over the wire carries the noise of its pixels and that of what was taken for the water around it.
    reading = read_disc(section.image, Disc(body.x + 2 * wide, body.y, wide))
    alike = max(1.0, reading.count * (reading.mean_uncertainty / max(reading.sd, 1e-9)) ** 2)
    lift = noise * math.sqrt(alike * (int(use.sum()) + int(use.sum()) ** 2 / int(beside.sum()))) / total
    sure = [_wire_sure(whole, waves, noise / total, lift, at) if at else 1.0 for at in (at50, at10)]
    if at50 is None or sure[0] > 0.1 * at50:
        return None
    region = disc_region(Disc(mx, my, wide), "wire")
    return Transfer(
        "wire or bead", FREQUENCY / mm, whole, at50 / mm, at10 / mm if at10 else None, sure[0] / mm, sure[1] / mm, region
    )  # fmt: skip


def _wire_sure(whole: Floats, waves: Floats, noise: float, lift: float, at: float) -> float:
    """Noise of the modulation, and of the sum that it is divided by, over the slope of the curve there."""
    place = min(int(np.searchsorted(FREQUENCY, at)), len(whole) - 1)
    slope = abs(float(np.gradient(whole, FREQUENCY)[place]))
    own = noise * math.sqrt(float((waves[place] ** 2).sum()))
    return math.hypot(own, lift * float(whole[place])) / max(slope, 1e-6)
