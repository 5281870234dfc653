"""Dose reports as scanners write them, built here item by item."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest
from pydicom.dataset import Dataset
from slipring_order.dose.observation import as_observation
from slipring_order.dose.printed import as_tree, exact_json
from slipring_order.dose.reading import NotADoseReport, read_dose_report

from tests.support.desk import A_NOON
from tests.support.dose import a_code, a_number, a_report, an_event, an_item


def test_a_plain_report_reads_with_unicode_names() -> None:
    report = read_dose_report(a_report(an_event()))
    assert (report.total_dlp_mgy_cm, report.max_ctdi_vol_mgy, report.device) == (
        Decimal("100.0"),
        Decimal("5.0"),
        "ACME One",
    )
    assert report.events[0].protocol == "腹部 平扫"
    assert report.doubts(Decimal(1)) == []


@pytest.mark.parametrize(
    ("unit", "total"), [("mGycm", "100.0"), (None, "100.0"), ("mGy*cm", "100.0"), ("Gy.cm", "100000.0")]
)
def test_units_are_fixed_to_mgy_cm_however_they_are_written(unit: str | None, total: str) -> None:
    report = read_dose_report(a_report(an_event(unit=unit), unit=unit))
    assert report.total_dlp_mgy_cm == report.sum_dlp_mgy_cm == Decimal(total)


def test_a_unit_of_another_quantity_is_refused() -> None:
    with pytest.raises(NotADoseReport):
        read_dose_report(a_report(an_event(), unit="mGy"))


@pytest.mark.parametrize("unit", ["Gy.cm2", "mGy.cm2", "mGy/cm", "10*-3.Gy.cm", "mm"])
def test_what_is_another_quantity_by_a_digit_or_a_stroke_is_refused(unit: str) -> None:
    with pytest.raises(NotADoseReport):
        read_dose_report(a_report(an_event(), unit=unit))


@pytest.mark.parametrize("number", ["1E5000000", "9E999999", "1E-999999", "-9E999999"])
def test_a_number_beyond_all_doses_is_none_and_costs_no_time(number: str) -> None:
    report = a_report(an_event(), total=number)
    report.ContentSequence[0].ContentSequence[0].MeasuredValueSequence[0].NumericValue = number
    read = read_dose_report(report)
    assert (read.total_dlp_mgy_cm, read.stated_events, read.dlp_mgy_cm) == (None, None, Decimal("100.0"))


def test_a_localizer_without_dose_is_an_event_without_numbers() -> None:
    report = read_dose_report(a_report(an_event(None, None), an_event()))
    assert [event.dlp_mgy_cm for event in report.events] == [None, Decimal("100.0")]


def test_a_total_that_is_not_the_sum_and_a_wrong_count_are_doubted() -> None:
    report = read_dose_report(a_report(an_event(), total="101.0"))
    assert report.doubts(Decimal(1)) == []
    report = read_dose_report(a_report(an_event(), total="101.1"))
    assert "differs" in report.doubts(Decimal(1))[0].en
    dataset = a_report(an_event())
    dataset.ContentSequence.append(an_event("1.0", "0.5"))
    assert "1 events are stated, 2 are described" in [
        doubt.en for doubt in read_dose_report(dataset).doubts(Decimal(1))
    ]


def test_another_document_is_no_dose_report() -> None:
    with pytest.raises(NotADoseReport):
        read_dose_report(an_item("121058"))


def test_the_observation_keeps_decimals_and_names_the_report() -> None:
    report = read_dose_report(a_report(an_event("5.00", "100.10"), total="100.10"))
    observation = json.loads(
        exact_json(as_observation(report, request=None, subject=None, now=A_NOON)), parse_float=str
    )
    assert observation["identifier"][0] == {"system": "urn:dicom:uid", "value": "urn:oid:1.2.3.4"}
    assert observation["component"][0]["valueQuantity"]["value"] == "100.10"
    values = [
        part["valueQuantity"]["value"] for part in observation["contained"][0]["component"] if "valueQuantity" in part
    ]
    assert values[:2] == ["5.00", "100.10"]


def test_a_dual_source_event_names_both_voltages_and_one_source_names_one() -> None:
    def source(name: str, kv: str, ma: str) -> Dataset:
        parts = [a_number("113733", kv, "kV"), a_number("113734", ma, "mA"), a_number("113834", "0.28", "s")]
        return an_item("113831", an_item("113832", text=name), *parts)

    event = an_event()
    event.ContentSequence.append(an_item("113822", source("A", "80", "350"), source("B", "150", "175")))
    printed = as_tree(read_dose_report(a_report(event)), Decimal(1))["events"][0]
    assert printed["kvp"] == [Decimal(80), Decimal(150)]
    assert (printed["ma"], printed["rotation_time"]) == ([Decimal(350), Decimal(175)], Decimal("0.28"))
    assert [each["id"] for each in printed["sources"]] == ["A", "B"]


@pytest.mark.parametrize(
    ("code", "meaning", "size"),
    [("113690", "IEC Head Dosimetry Phantom", 16), ("113691", "IEC Body Dosimetry Phantom", 32), ("99X", "Body 32 cm", 32),
     ("99X", "Other", None)],
)  # fmt: skip
def test_the_phantom_says_for_which_diameter_the_dose_is_given(code: str, meaning: str, size: int | None) -> None:
    event = an_event()
    event.ContentSequence[1].ContentSequence.append(an_item("113835", value=a_code(code, meaning)))
    [read] = read_dose_report(a_report(event)).events
    assert read.phantom_cm == size


@pytest.mark.parametrize("written", ["张三丰".encode(), "张三丰".encode("gb2312"), "Müller".encode("latin-1")])
def test_a_protocol_in_an_undeclared_character_set_is_read_by_its_bytes(written: bytes) -> None:
    report = a_report(an_event())
    del report.SpecificCharacterSet
    report.ContentSequence[1].ContentSequence[0].TextValue = written.decode("latin-1")
    assert read_dose_report(report).events[0].protocol in ("张三丰", "Müller")


def test_a_declared_character_set_is_believed() -> None:
    report = a_report(an_event())
    report.SpecificCharacterSet = "ISO_IR 100"
    report.ContentSequence[1].ContentSequence[0].TextValue = "função"
    assert read_dose_report(report).events[0].protocol == "função"


def test_a_dose_below_zero_or_no_number_is_not_taken() -> None:
    with pytest.raises(NotADoseReport):
        read_dose_report(a_report(an_event(dlp="-1")))
    assert read_dose_report(a_report(an_event(dlp="NaN"))).events[0].dlp_mgy_cm is None


def test_a_report_of_another_modality_says_what_it_lacks() -> None:
    with pytest.raises(NotADoseReport, match="without CT dose data"):
        read_dose_report(an_item("113701", an_item("113702")))


def test_two_accumulated_totals_are_added_when_the_events_bear_it_out() -> None:
    report = a_report(an_event(dlp="100"), an_event(dlp="40"), total="100")
    report.ContentSequence.append(an_item("113811", a_number("113813", "40", "mGy.cm")))
    assert read_dose_report(report).total_dlp_mgy_cm == Decimal(140)
