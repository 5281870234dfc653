"""Groups of doses beside the reference levels, and the factors of the effective dose."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import slipring_order
from hypothesis import given
from hypothesis import strategies as st
from slipring.rules.limits import LimitBook
from slipring_order import catalogue
from slipring_order.dose.effective import Part, estimated, factor_region
from slipring_order.dose.groups import ExamMeasure, groups
from slipring_order.dose.levels import level_for
from slipring_order.dose.measuring import Patient, measured
from slipring_order.dose.report import DoseReport, Event

DAY = date(2026, 3, 2)
BOOK = LimitBook.load(Path(slipring_order.__file__).with_name("limits.toml"))
LIMITS = BOOK.on(DAY)
CHEST = frozenset({"chest"})


def measures(values: list[str], key: str = "chest", scanner: str = "Device/o-1") -> list[ExamMeasure]:
    level = level_for(key, 60, None, LIMITS)
    return [
        ExamMeasure(f"Observation/o-{n}", key, scanner, level, "adult", None, Decimal(value))
        for n, value in enumerate(values)
    ]


@pytest.mark.clause("5.6.2.3 images")
@pytest.mark.parametrize(
    ("values", "verdict"),
    [
        (["471"] * 20, "above"),
        (["470"] * 20, "within"),
        (["199"] * 20, "unusually-low"),
        (["900"] * 19, "too-few"),
        (["100"] * 9 + ["471"] * 11, "above"),
        (["900"] * 9 + ["300"] * 11, "within"),
    ],
)
def test_the_median_of_a_group_is_judged_and_a_small_group_is_not(values: list[str], verdict: str) -> None:
    [ctdivol, dlp] = groups(measures(values), LIMITS)
    assert (dlp.quantity, dlp.verdict, len(dlp.members)) == ("dlp", verdict, len(values))
    assert ctdivol.members == () and ctdivol.verdict == "too-few"
    assert dlp.level and not dlp.level.chosen.confirmed, "the table's values wait for a named person"


def test_scanners_and_exams_are_groups_of_their_own() -> None:
    found = groups(
        [*measures(["500"] * 20), *measures(["100"] * 20, scanner="Device/o-2"), *measures(["9"], "leg")], LIMITS
    )
    told = {(g.scanner, g.key): g.verdict for g in found if g.quantity == "dlp"}
    assert told == {
        ("Device/o-1", "chest"): "above", ("Device/o-2", "chest"): "unusually-low", ("Device/o-1", "leg"): "no-level",
    }  # fmt: skip


@given(st.lists(st.decimals(1, 3000, places=1), min_size=20, max_size=25))
def test_a_single_patient_never_decides_about_a_group(values: list[Decimal]) -> None:
    without = groups(measures([str(value) for value in sorted(values)]), LIMITS)[1]
    worst = groups(measures([str(value) for value in [*sorted(values)[:-1], Decimal(99999)]]), LIMITS)[1]
    assert worst.median == without.median and worst.verdict == without.verdict


@pytest.mark.parametrize(
    ("age", "weight", "band"), [(60, None, "adult"), (15, None, "adult"), (14, None, "10-15 a"), (0, None, "0-1 a")]
)
def test_the_band_follows_the_age_in_whole_years(age: int, weight: Decimal | None, band: str) -> None:
    level = level_for("chest", age, weight, LIMITS)
    assert level and level.band == band
    assert level.of("dlp")[2] == {"adult": 470, "10-15 a": 176, "0-1 a": 40}[band]


def an_event(**members: Any) -> Event:
    told = {
        "uid": "",
        "acquisition": "",
        "protocol": "",
        "region": "",
        "length_mm": None,
        "phantom": "",
        "phantom_code": "",
    }
    return Event(**{**told, "ctdi_vol_mgy": Decimal(10), "dlp_mgy_cm": Decimal(300), "phantom_cm": 32, **members})


def a_measure(code: str, *events: Event) -> ExamMeasure | None:
    report = DoseReport("1", "2", "", "", "", "", None, None, None, None, events, ())
    concept = {"coding": [{"system": "http://loinc.org", "code": code}]}
    return measured({"id": "o-1"}, report, concept, Patient("1960-01-01"), DAY, LIMITS)


def test_localizers_and_bolus_tracking_are_no_scans_and_another_phantom_is_not_compared() -> None:
    tracking = an_event(acquisition_code="113806", ctdi_vol_mgy=Decimal(90))
    localizer = an_event(acquisition_code="113805", ctdi_vol_mgy=Decimal(80), phantom_cm=16)
    measure = a_measure("24627-2", an_event(), tracking, localizer)
    assert measure and (measure.ctdivol, measure.dlp) == (Decimal(10), Decimal(900))
    small = a_measure("24627-2", an_event(phantom_cm=16))
    assert small and (small.ctdivol, small.dlp) == (None, None)


def test_the_dlp_of_several_phases_is_not_held_against_a_level_for_one() -> None:
    both = next(exam for exam in catalogue.exams().values() if exam.drl == "chest" and exam.phases == "both")
    measure = a_measure(both.loinc or both.code, an_event(), an_event())
    assert measure and measure.ctdivol == Decimal(10) and measure.dlp is None


@pytest.mark.parametrize(
    ("regions", "age", "phantom", "msv"),
    [
        (["chest"], 60, 32, "4.20"), (["abdomen", "pelvis"], 60, 32, "4.50"), (["chest", "abdomen", "pelvis"], 60, 32, "4.50"),
        (["head"], 60, 16, "0.63"), (["head", "neck"], 60, 16, "0.93"), (["head"], 0, 16, "3.30"), (["head"], 4, 16, "2.01"),
        (["head"], 14, 16, "0.96"), (["chest"], 7, 16, "5.40"), (["chest"], 7, None, "5.40"), (["chest"], 7, 32, None),
        (["leg"], 60, 32, None), ([], 60, 32, None), (["chest"], None, 32, None),
    ],
)  # fmt: skip
def test_effective_dose_by_region_age_and_phantom(
    regions: list[str], age: int | None, phantom: int | None, msv: str | None
) -> None:
    estimate = estimated([Part(frozenset(regions), Decimal(300), phantom)], age, DAY)
    assert estimate.msv == (Decimal(msv) if msv else None)
    assert estimate.zh and estimate.en
    assert ("not this person's dose" in estimate.en) == (msv is not None)


def test_every_region_of_the_catalogue_has_a_factor_or_is_known_to_have_none() -> None:
    regions = {region for exam in catalogue.exams().values() for region in exam.regions}
    without = {region for region in regions if not factor_region(frozenset({region}))}
    assert without <= {"arm", "leg"}, without
    assert estimated(
        [Part(CHEST, Decimal(100), 32), Part(frozenset({"head"}), Decimal(100), 16)], 60, DAY
    ).msv == Decimal("1.61")
