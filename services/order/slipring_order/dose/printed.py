"""A dose report as JSON for people and programs; every number with the decimals that the scanner wrote."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from slipring_order.dose.problem import NotADoseReport
from slipring_order.dose.report import DoseReport, Event, Source
from slipring_order.dose.several import StudyDose


def as_tree(report: DoseReport, tolerance_percent: Decimal) -> dict[str, Any]:
    """One report: totals, events, device and times; DLP in mGy.cm, CTDIvol in mGy; null where nothing is said."""
    return {
        "total_dlp": report.dlp_mgy_cm,
        "n_events": len(report.events),
        "events": [_event(event) for event in report.events],
        "max_ctdivol": report.max_ctdi_vol_mgy,
        "accession": report.accession_number or None,
        "device": {
            "manufacturer": report.manufacturer or None,
            "model": report.model or None,
            "serial": report.serial_number or None,
            "station": report.station or None,
        },
        "started": _moment(report.started_at),
        "ended": _moment(report.ended_at),
        "written": _moment(report.written_at),
        "report_uid": report.sop_instance_uid or None,
        "series_uid": report.series_uid or None,
        "study_uid": report.study_uid or None,
        "procedure": report.procedure or None,
        "dose_alerts": [
            {"of": alert.kind, "configured": alert.configured, "estimate": alert.estimate, "exceeded": alert.exceeded}
            for alert in report.alerts
        ],
        "doubts": [doubt.en for doubt in report.doubts(tolerance_percent)],
    }


def of_study(report: DoseReport, study: StudyDose, names: Mapping[str, str]) -> dict[str, Any]:
    """How a report stands among those of its study; `names`: SOP Instance UID -> file name."""
    newer = study.replaced.get(report.sop_instance_uid)
    return {
        "replaced_by": names.get(newer) if newer else None,
        "study": {
            "reports": [names[counted.sop_instance_uid] for counted in study.counted],
            "total_dlp": study.dlp_mgy_cm,
            "n_events": len(study.events),
        },
    }


def as_error(problem: NotADoseReport) -> dict[str, Any]:
    """Why a file gave nothing, in both languages."""
    return {"error": problem.en, "error_zh": problem.zh}


def exact_json(tree: Any) -> str:
    """JSON with decimals as written: numbers never pass through floating point."""
    if isinstance(tree, Mapping):
        return "{" + ", ".join(f"{_text(name)}: {exact_json(value)}" for name, value in tree.items()) + "}"
    if isinstance(tree, list | tuple):
        return "[" + ", ".join(map(exact_json, tree)) + "]"
    return f"{tree:f}" if isinstance(tree, Decimal) else _text(tree)


def _event(event: Event) -> dict[str, Any]:
    return {
        "acquisition_type": event.acquisition or None,
        "ctdivol": event.ctdi_vol_mgy,
        "dlp": event.dlp_mgy_cm,
        "phantom": event.phantom or None,
        "phantom_cm": event.phantom_cm,
        "kvp": _one_or_all(event.kvp_kv),
        "target": event.region or None,
        "protocol": event.protocol or None,
        "ma": _one_or_all([source.current_ma for source in event.sources if source.current_ma is not None]),
        "max_ma": _one_or_all([s.max_current_ma for s in event.sources if s.max_current_ma is not None]),
        "exposure_time": event.exposure_time_s,
        "rotation_time": _one_or_all([s.rotation_s for s in event.sources if s.rotation_s is not None]),
        "pitch": event.pitch,
        "length": event.length_mm,
        "collimation": {"single": event.collimation_single_mm, "total": event.collimation_total_mm},
        "sources": [_source(source) for source in event.sources],
        "ssde": event.ssde_mgy,
        "effective_dose": event.effective_dose_msv,
        "started": _moment(event.started_at),
        "uid": event.uid or None,
        "comment": event.comment or None,
    }


def _source(source: Source) -> dict[str, Any]:
    return {
        "id": source.id,
        "kvp": _one_or_all(source.kvp_kv),
        "ma": source.current_ma,
        "max_ma": source.max_current_ma,
        "rotation_time": source.rotation_s,
    }


def _one_or_all(values: Sequence[Decimal]) -> Decimal | list[Decimal] | None:
    """One number as such; of sources that differ all of them, in their order."""
    if len(set(values)) <= 1:
        return next(iter(values), None)
    return list(values)


def _moment(at: datetime | None) -> str | None:
    return at.isoformat() if at else None


def _text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
