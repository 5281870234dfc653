"""Water CT number, uniformity and noise of a section that is water where they are taken.

Regions as WS 519-2019 and GB 17589-2011 describe them: for the CT number and the uniformity discs of a tenth of the
phantom's diameter, in the middle and at 3, 6, 9 and 12 o'clock 10 mm inside the water's edge; for the noise a disc of
four tenths of the diameter.
"""

from __future__ import annotations

import math

from slipring.qc.image.description import Description
from slipring.qc.image.result import Measured, disc_region
from slipring.qc.image.section import Section
from slipring.qc.image.slice import Disc, Reading, read_disc
from slipring.qc.image.spectrum import NoisePower

_ALIEN = 1.4  # of the SD of the filling
CLOCK = ((3, 0.0), (6, math.pi / 2), (9, math.pi), (12, -math.pi / 2))


def measure_water(section: Section, description: Description, noise: NoisePower | None) -> list[Measured]:
    """What the section gives of the three, with the noise of its filling; nothing where its middle is not water."""
    image, edge = section.without_points, section.outline
    roi = description.water
    middle = Disc(edge.x, edge.y, roi["ct_number_diameter"] * section.inner_radius)
    centre = read_disc(image, middle)
    if centre.count < 20 or not section.clear(middle) or abs(centre.mean) > roi["water_like_hu"]:
        return []
    # The spectrum of a wide square knows the slow noise that the disc itself is too small to show.
    sure = centre.mean_uncertainty if noise is None else noise.sd_of_disc_means(2 * middle.radius)
    found = [
        Measured(
            "water_ct_number", centre.mean, "HU", "mean of the middle disc", (disc_region(middle, "water"),),
            sure, {"sd": round(centre.sd, 4), "pixels": centre.count},
        )
    ]  # fmt: skip
    found += _noise(section, roi, image.thickness_mm)
    return found + _uniformity(section, roi, centre, sure, middle.radius)


def _noise(section: Section, roi: dict[str, float], thickness_mm: float | None) -> list[Measured]:
    edge = section.outline
    wide = Disc(edge.x, edge.y, roi["noise_diameter"] * section.inner_radius)
    if not section.clear(wide):
        return []
    reading = read_disc(section.without_points, wide)
    where = (disc_region(wide, "noise"),)
    sure = reading.sd_uncertainty
    found = [Measured("noise_sd", reading.sd, "HU", "standard deviation of the wide disc", where, sure)]
    span = roi["water_minus_air_hu"]
    percent = reading.sd / span * 100
    found.append(Measured("noise_percent", percent, "%", f"SD / {span:g} HU", where, sure / span * 100))
    if thickness_mm:
        scale = math.sqrt(thickness_mm / roi["noise_thickness_mm"])
        how = f"noise x sqrt({thickness_mm:g} mm / {roi['noise_thickness_mm']:g} mm)"
        found.append(
            Measured("noise_percent_10mm", percent * scale, "%", how, where, sure / span * 100 * scale)
        )  # fmt: skip
    return found


def _uniformity(
    section: Section, roi: dict[str, float], centre: Reading, centre_sure: float, radius: float
) -> list[Measured]:
    edge, image = section.outline, section.without_points
    discs, means, sure = [], [], []
    for _, angle in CLOCK:
        away = edge.reach(angle) * section.inner - roi["uniformity_inside_mm"] / image.spacing_mm - radius
        disc = Disc(edge.x + away * math.cos(angle), edge.y + away * math.sin(angle), radius)
        reading = read_disc(image, disc)
        alien = reading.sd > _ALIEN * max(
            centre.sd, section.noise
        )  # faint targets that merge are no bodies of their own
        if away < 2 * radius or reading.count < 20 or alien or not section.clear(disc):
            return []
        discs.append(disc_region(disc, f"{_:d} h"))
        means.append(reading.mean - centre.mean)
        sure.append(math.hypot(max(reading.mean_uncertainty, centre_sure), centre_sure))
    worst = max(range(4), key=lambda number: abs(means[number]))
    return [
        Measured(
            "uniformity", means[worst], "HU", "edge minus centre, the largest of 3, 6, 9 and 12 o'clock", tuple(discs),
            sure[worst], {"edge_minus_centre": [round(mean, 4) for mean in means], "clock": [hour for hour, _ in CLOCK]},
        )
    ]  # fmt: skip
