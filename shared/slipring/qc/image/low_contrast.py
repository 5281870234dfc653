"""Low contrast: what the noise lets be detected."""

from __future__ import annotations

import numpy as np

from slipring.qc.image.description import Description
from slipring.qc.image.result import Measured, disc_region
from slipring.qc.image.section import STANDS_OUT_HU, Section
from slipring.qc.image.slice import Disc, read_disc
from slipring.qc.image.spectrum import NoisePower


def measure_low_contrast(section: Section, description: Description, noise: NoisePower) -> list[Measured]:
    """The contrast that a disc of each size needs, and the standard's figure of merit from it.

    The variance of the mean of a disc of diameter d is the noise power spectrum times [2 J1(pi f d) / (pi f d)]²,
    summed over the frequencies: exact for correlated noise, and steadier than the spread of a few discs. A contrast of
    `factor` x SD is detected. As the standard does for the eye, the smallest detected diameter times the contrast in
    percent is averaged over its three contrasts (1 % = 10 HU).
    """
    told = description.low_contrast
    mm = section.image.spacing_mm
    needed = {d: told["factor"] * noise.sd_of_disc_means(d / mm) for d in told["diameters_mm"]}
    merit, smallest = [], {}
    for contrast in told["contrasts_percent"]:
        detected = [d for d, hu in needed.items() if hu <= contrast * 10]
        if detected:
            smallest[f"{contrast:g} %"] = min(detected)
            merit.append(min(detected) * contrast)
    more = {
        "needed_hu": {f"{d:g} mm": round(hu, 3) for d, hu in needed.items()},
        "smallest_mm": smallest,
        "low_contrast_confidence": told["confidence"],
    }
    five = needed[5.0]
    found = [
        Measured("low_contrast_5mm", five, "HU", f"{told['factor']:g} x SD of the means of discs of 5 mm", noise.regions, None, more)
    ]  # fmt: skip
    if len(merit) == len(told["contrasts_percent"]):
        how = "statistical: mean of smallest detected diameter x contrast in percent"
        found.append(
            Measured("low_contrast", float(np.mean(merit)), "mm", how, noise.regions, None, {"smallest_mm": smallest})
        )
    return found


def measure_targets(section: Section) -> list[Measured]:
    """Low contrast discs as the standard has them looked at: contrast in percent, and the window that shows them.

    Width = (mean inside - mean outside) + 5 x the larger SD, level = the mean of both; outside is a ring around the
    disc. The contrast to noise ratio says what the eye would be given; who sees it remains a person.
    """
    mm, found = section.image.spacing_mm, []
    for body in section.bodies:
        if not body.round or body.at_wall or body.short * mm < 4 or abs(body.contrast) >= STANDS_OUT_HU:
            continue
        disc = Disc(body.x, body.y, 0.35 * body.short)
        inside = read_disc(section.image, disc)
        around = [
            read_disc(section.image, Disc(body.x + dx * body.long, body.y + dy * body.long, disc.radius))
            for dx, dy in ((1, 0), (0, 1), (-1, 0), (0, -1))
            if section.clear(Disc(body.x + dx * body.long, body.y + dy * body.long, disc.radius))
        ]
        if inside.count < 5 or len(around) < 2:
            continue
        outside, sd = float(np.mean([one.mean for one in around])), max([inside.sd, *(one.sd for one in around)])
        contrast = inside.mean - outside
        more = {
            "contrast_percent": round(contrast / 10, 3), "diameter_mm": round((body.long + body.short) / 2 * mm, 2),
            "contrast_to_noise": round(abs(contrast) / max(sd, 1e-9), 3), "window_width_hu": round(abs(contrast) + 5 * sd, 1),
            "window_level_hu": round((inside.mean + outside) / 2, 1),
        }  # fmt: skip
        how = "mean inside minus mean of the discs around it"
        region = (disc_region(disc, f"{contrast / 10:.1f} %"),)
        found.append(Measured("low_contrast_target", contrast, "HU", how, region, inside.mean_uncertainty, more))
    return found
