"""Reading a dose report: DICOM TID 10011 with its acquisitions, as real scanners write it.

Scanners differ: GE sends an Enhanced SR, units come as `mGycm`, unit sequences are empty, localizers carry no
CTDIvol. A unit that is missing is taken as the one the template asks for; one that is another quantity is refused.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from slipring_order.dose import tree
from slipring_order.dose.events import amount, dose_amount, read_event
from slipring_order.dose.problem import NotADoseReport
from slipring_order.dose.report import Alert, DoseReport, Event
from slipring_order.dose.text import text_of

if TYPE_CHECKING:  # a service without a DICOM port starts without it
    from pydicom.dataset import Dataset

ROOT, ACCUMULATED, ACQUISITION = "113701", "113811", "113819"
_TOTAL, _COUNT, _CHECK = "113813", "113812", "113900"
_DOSES = (_TOTAL, "113830", "113838")
_DEFAULT_ZONE = ZoneInfo("Asia/Shanghai")

__all__ = ["NotADoseReport", "read_dose_report"]


def read_dose_report(dataset: Dataset, zone: ZoneInfo = _DEFAULT_ZONE) -> DoseReport:
    """Read a CT X-Ray Radiation Dose SR; the SOP class does not matter, the content tree does.

    Whatever is wrong with the file, the error is a NotADoseReport: pydicom decodes elements when they are looked
    at, and what bytes of strangers may raise then is no closed list.
    """
    try:
        return _read(dataset, zone)
    except NotADoseReport:
        raise
    except Exception as problem:
        raise NotADoseReport(
            f"the file cannot be read as a dose report ({type(problem).__name__})", "文件无法按剂量报告解析"
        ) from problem


def _read(dataset: Dataset, zone: ZoneInfo) -> DoseReport:
    if tree.concept(dataset) != ROOT:
        raise _another(dataset)
    accumulated = list(tree.within(dataset, ACCUMULATED))
    acquisitions = list(tree.within(dataset, ACQUISITION))
    if not accumulated and not acquisitions:
        raise NotADoseReport("a dose report without CT dose data", "剂量报告中没有 CT 剂量数据")
    say = text_of(dataset)
    events = tuple(read_event(item, zone, say) for item in acquisitions)
    counts = [stated for item in accumulated if (stated := tree.number(tree.first(tree.children(item, _COUNT))))]
    observer = [say(part) for part in _observer(dataset, acquisitions)]
    return DoseReport(
        sop_instance_uid=str(dataset.get("SOPInstanceUID", "")),
        study_uid=tree.text(tree.first(tree.within(dataset, "110180"))) or str(dataset.get("StudyInstanceUID", "")),
        accession_number=say(dataset.get("AccessionNumber")),
        manufacturer=observer[0],
        model=observer[1],
        serial_number=observer[2],
        started_at=tree.moment(tree.first(tree.children(dataset, "113809")), zone),
        ended_at=tree.moment(tree.first(tree.children(dataset, "113810")), zone),
        stated_events=sum(int(count[0]) for count in counts) if counts else None,
        total_dlp_mgy_cm=_total(accumulated, events),
        events=events,
        alerts=tuple(alert for item in acquisitions for alert in _alerts(item)),
        series_uid=str(dataset.get("SeriesInstanceUID", "")),
        written_at=_written_at(dataset, zone),
        scope=tree.value_code(tree.first(tree.within(dataset, "113705")))[0],
        station=say(dataset.get("StationName")),
        procedure=say(tree.value_code(tree.first(tree.children(dataset, "121058")))[1]),
        description=say(dataset.get("StudyDescription")),
        illegible=sum(tree.illegible(item) for code in _DOSES for item in tree.within(dataset, code)),
    )


def _another(dataset: Dataset) -> NotADoseReport:
    """What it is instead: a page of doses saved as a picture is meant well, and nobody can read it but a person."""
    from pydicom.uid import UID

    name = UID(str(dataset.get("SOPClassUID") or "")).name
    picture = "Rows" in dataset or "Image Storage" in name
    return NotADoseReport(
        f"{'a picture' if picture else 'another document'} ({name or 'of no named class'}), "
        "not an X-Ray Radiation Dose Report (root concept 113701 is missing)",
        f"{'这是图像' if picture else '这是其他文档'}（{name or '未注明类别'}），不是 X 射线剂量报告（缺少根概念 113701）",
    )


def _total(accumulated: list[Dataset], events: tuple[Event, ...]) -> Decimal | None:
    """The stated total; of several (one per phantom or per part) their sum where the events bear it out."""
    totals = [
        stated
        for container in accumulated
        for item in tree.children(container, _TOTAL)
        if (stated := dose_amount(item, _TOTAL, "mGy.cm")) is not None
    ]
    if len(totals) < 2:
        return totals[0] if totals else None
    together = sum((event.dlp_mgy_cm for event in events if event.dlp_mgy_cm is not None), Decimal(0))
    return min((sum(totals, Decimal(0)), max(totals)), key=lambda total: abs(total - together))


def _alerts(item: Dataset) -> Iterator[Alert]:
    for details in tree.within(item, _CHECK):
        for kind, value, estimate, unit in (
            ("DLP", "113903", "113905", "mGy.cm"),
            ("CTDIvol", "113904", "113906", "mGy"),
        ):
            configured = amount(details, value, unit)
            if configured is not None:
                yield Alert(kind, configured, amount(details, estimate, unit))


def _observer(dataset: Dataset, acquisitions: list[Dataset]) -> tuple[str, str, str]:
    """The irradiating device: the observer of the report, else the device of an event, else the header."""
    names = []
    for of_report, of_event, of_header in (
        ("121014", "113878", "Manufacturer"),
        ("121015", "113879", "ManufacturerModelName"),
        ("121016", "113880", "DeviceSerialNumber"),
    ):
        found = tree.text(tree.first(tree.children(dataset, of_report)))
        for item in acquisitions:
            found = found or tree.text(tree.first(tree.within(item, of_event)))
        names.append(found or str(dataset.get(of_header) or "").strip())
    return names[0], names[1], names[2]


def _written_at(dataset: Dataset, zone: ZoneInfo) -> datetime | None:
    """When the content was written, in the department's time."""
    day, time = (str(dataset.get(name) or "").strip() for name in ("ContentDate", "ContentTime"))
    return tree.instant(f"{day}{time.partition('.')[0]}", zone) if len(day) == len("20260302") else None
