"""What a CT dose report says, in plain numbers with fixed units (mGy, mGy.cm, mm, s, kV, mA)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Source:
    """One X-ray source during an event; a dual-source scanner has two of them."""

    id: str
    kvp_kv: tuple[Decimal, ...] = ()  # more than one when the tube switched
    current_ma: Decimal | None = None
    max_current_ma: Decimal | None = None
    rotation_s: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Event:
    """One irradiation event; a localizer may carry no dose at all, which is not a dose of 0."""

    uid: str
    acquisition: str  # as the report names it: Spiral Acquisition, Constant Angle Acquisition, ...
    protocol: str
    region: str
    ctdi_vol_mgy: Decimal | None
    dlp_mgy_cm: Decimal | None
    length_mm: Decimal | None
    phantom: str
    phantom_code: str
    acquisition_code: str = ""
    region_code: str = ""
    phantom_cm: int | None = None  # 16 (head) or 32 (body); the two are never compared with each other
    started_at: datetime | None = None
    exposure_time_s: Decimal | None = None
    pitch: Decimal | None = None
    collimation_single_mm: Decimal | None = None
    collimation_total_mm: Decimal | None = None
    ssde_mgy: Decimal | None = None
    effective_dose_msv: Decimal | None = None  # as the report states it
    sources: tuple[Source, ...] = ()
    comment: str = ""

    @property
    def kvp_kv(self) -> tuple[Decimal, ...]:
        """The tube voltages that were used, each once."""
        return tuple(dict.fromkeys(kv for source in self.sources for kv in source.kvp_kv))


@dataclass(frozen=True, slots=True)
class Alert:
    """A dose-check value that was configured on the scanner; `exceeded` when the forward estimate passed it."""

    kind: str  # DLP or CTDIvol
    configured: Decimal
    estimate: Decimal | None

    @property
    def exceeded(self) -> bool:
        """Whether the scanner foresaw more than the alert value."""
        return self.estimate is not None and self.estimate > self.configured


@dataclass(frozen=True, slots=True)
class Doubt:
    """What of a report contradicts the rest of it, in words; `by_tolerance` where a tolerance decides."""

    zh: str
    en: str
    by_tolerance: bool = False


@dataclass(frozen=True, slots=True)
class DoseReport:
    """One dose report. `started_at` is None when the report does not say when the irradiation began."""

    sop_instance_uid: str
    study_uid: str
    accession_number: str
    manufacturer: str
    model: str
    serial_number: str
    started_at: datetime | None
    ended_at: datetime | None
    stated_events: int | None
    total_dlp_mgy_cm: Decimal | None
    events: tuple[Event, ...]
    alerts: tuple[Alert, ...]
    series_uid: str = ""
    written_at: datetime | None = None  # ContentDate and ContentTime
    scope: str = ""  # of accumulation: 113014 study, 113015 series, 113016 performed procedure step
    station: str = ""
    procedure: str = ""  # procedure reported, in words
    description: str = ""  # of the study
    illegible: int = 0  # doses that are said and are no numbers

    @property
    def device(self) -> str:
        """Manufacturer and model in words."""
        return " ".join(part for part in (self.manufacturer, self.model) if part)

    @property
    def sum_dlp_mgy_cm(self) -> Decimal:
        """The DLP of all events together."""
        return sum((event.dlp_mgy_cm for event in self.events if event.dlp_mgy_cm is not None), Decimal(0))

    @property
    def dlp_mgy_cm(self) -> Decimal | None:
        """The total as stated, else the sum of the events; None when neither says anything."""
        if self.total_dlp_mgy_cm is not None:
            return self.total_dlp_mgy_cm
        return self.sum_dlp_mgy_cm if any(event.dlp_mgy_cm is not None for event in self.events) else None

    @property
    def max_ctdi_vol_mgy(self) -> Decimal | None:
        """The highest mean CTDIvol of the events."""
        return max((e.ctdi_vol_mgy for e in self.events if e.ctdi_vol_mgy is not None), default=None)

    def doubts(self, tolerance_percent: Decimal) -> list[Doubt]:
        """Where the report contradicts itself; empty when it is consistent."""
        found: list[Doubt] = []
        total, events = self.total_dlp_mgy_cm, self.sum_dlp_mgy_cm
        if total is None:
            found.append(Doubt("未给出总 DLP", "the report states no total DLP"))
        elif abs(total - events) * 100 > tolerance_percent * max(total, events):
            found.append(
                Doubt(
                    f"总 DLP {total} 与各次照射之和 {events} 相差超过 {tolerance_percent} %",
                    f"total DLP {total} differs from the {events} of its events by more than {tolerance_percent} %",
                    by_tolerance=True,
                )
            )
        if self.illegible:
            found.append(Doubt(f"有 {self.illegible} 个剂量不是数值", f"{self.illegible} of its doses are no numbers"))
        if self.stated_events is not None and self.stated_events != len(self.events):
            found.append(
                Doubt(
                    f"声明 {self.stated_events} 次照射，描述了 {len(self.events)} 次",
                    f"{self.stated_events} events are stated, {len(self.events)} are described",
                )
            )
        return found
