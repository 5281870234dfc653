"""Dose reports as scanners write them, built here item by item."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import httpx
import pytest
from pydicom.dataset import Dataset
from slipring_order.dose.command import NotSent, as_text, line, send
from slipring_order.dose.reading import NotADoseReport, read_dose_report
from slipring_order.settings import OrderSettings


def a_code(code: str, meaning: str = "-") -> Dataset:
    coded = Dataset()
    coded.CodeValue, coded.CodingSchemeDesignator, coded.CodeMeaning = code, "DCM", meaning
    return coded


def an_item(code: str, *children: Dataset, text: str = "", value: Dataset | None = None) -> Dataset:
    item = Dataset()
    item.ConceptNameCodeSequence = [a_code(code)]
    if children:
        item.ContentSequence = list(children)
    if text:
        item.TextValue = text
    if value is not None:
        item.ConceptCodeSequence = [value]
    return item


def a_number(code: str, value: str | None, unit: str | None) -> Dataset:
    item = an_item(code)
    measured = Dataset()
    if value is not None:
        measured.NumericValue = value
    measured.MeasurementUnitsCodeSequence = [a_code(unit)] if unit else []
    item.MeasuredValueSequence = [measured] if value is not None else []
    return item


def an_event(ctdi: str | None = "5.0", dlp: str | None = "100.0", unit: str | None = "mGy.cm") -> Dataset:
    numbers = []
    if ctdi is not None:
        numbers.append(a_number("113830", ctdi, "mGy"))
    if dlp is not None:
        numbers.append(a_number("113838", dlp, unit))
    dose = [an_item("113829", *numbers)] if numbers else []
    return an_item("113819", an_item("125203", text="腹部 平扫"), *dose)


def a_report(*events: Dataset, total: str = "100.0", unit: str | None = "mGy.cm") -> Dataset:
    report = an_item(
        "113701",
        an_item("113811", a_number("113812", str(len(events)), "{events}"), a_number("113813", total, unit)),
        *events,
    )
    report.SOPInstanceUID = "1.2.3.4"
    report.AccessionNumber = "CT20260303000001"
    report.Manufacturer, report.ManufacturerModelName = "ACME", "One"
    return report


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


def test_a_localizer_without_dose_is_an_event_without_numbers() -> None:
    report = read_dose_report(a_report(an_event(None, None), an_event()))
    assert [event.dlp_mgy_cm for event in report.events] == [None, Decimal("100.0")]


def test_a_total_that_is_not_the_sum_and_a_wrong_count_are_doubted() -> None:
    report = read_dose_report(a_report(an_event(), total="101.0"))
    assert report.doubts(Decimal(1)) == []
    report = read_dose_report(a_report(an_event(), total="101.1"))
    assert "differs" in report.doubts(Decimal(1))[0]
    dataset = a_report(an_event())
    dataset.ContentSequence.append(an_event("1.0", "0.5"))
    assert "1 events are stated, 2 are described" in read_dose_report(dataset).doubts(Decimal(1))


def test_another_document_is_no_dose_report() -> None:
    with pytest.raises(NotADoseReport):
        read_dose_report(an_item("121058"))


def test_the_observation_keeps_decimals_and_names_the_report() -> None:
    observation = json.loads(
        as_text(read_dose_report(a_report(an_event("5.00", "100.10"), total="100.10"))), parse_float=str
    )
    assert observation["identifier"] == [{"system": "urn:dicom:uid", "value": "urn:oid:1.2.3.4"}]
    assert observation["component"][0]["valueQuantity"]["value"] == "100.10"
    assert observation["contained"][0]["component"][0]["valueQuantity"]["value"] == "5.00"


def test_the_line_names_events_total_highest_dose_device_and_alerts() -> None:
    text = line(read_dose_report(a_report(an_event())), OrderSettings())
    assert text == "1 events, total DLP 100.0 mGy.cm, CTDIvol max 5.0 mGy, ACME One, no dose alerts"


def a_server(posted: list[httpx.Request], exams: list[dict[str, Any]]) -> httpx.Client:
    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/fhir/ServiceRequest/_search":
            return httpx.Response(200, json={"entry": [{"resource": exam} for exam in exams]})
        posted.append(request)
        return httpx.Response(201, json={"resourceType": "Observation", "id": "o-9"})

    return httpx.Client(base_url="http://server", transport=httpx.MockTransport(answer))


def test_a_report_is_sent_once_to_the_exam_with_its_number() -> None:
    posted: list[httpx.Request] = []
    exam = {"resourceType": "ServiceRequest", "id": "o-1", "subject": {"reference": "Patient/o-2"}}
    assert send(read_dose_report(a_report(an_event())), None, a_server(posted, [exam])) == "Observation/o-9"
    body = json.loads(posted[0].content)
    assert body["basedOn"] == [{"reference": "ServiceRequest/o-1"}] and body["subject"] == exam["subject"]
    assert posted[0].headers["If-None-Exist"] == "identifier=urn:dicom:uid|urn:oid:1.2.3.4"


def test_a_report_without_its_exam_is_not_sent() -> None:
    posted: list[httpx.Request] = []
    with pytest.raises(NotSent):
        send(read_dose_report(a_report(an_event())), None, a_server(posted, []))
    assert posted == []
