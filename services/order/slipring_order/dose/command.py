"""`slipring dose FILE...`: read dose reports and send each as an Observation to its exam."""

from __future__ import annotations

import json
import os
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any

import httpx
import typer
from pydicom import dcmread
from pydicom.errors import InvalidDicomError
from slipring.identity.client import NoToken, api_client, server_url

from slipring_order.dose.observation import DICOM_UID, as_observation
from slipring_order.dose.reading import NotADoseReport, read_dose_report
from slipring_order.dose.report import DoseReport
from slipring_order.resources import ACSN_SYSTEM
from slipring_order.settings import OrderSettings

_FHIR_JSON = "application/fhir+json"


class NotSent(Exception):
    """The server has no such exam, or refused the Observation; the message says which."""


def dose(
    files: Annotated[list[Path], typer.Argument(help="DICOM dose reports (X-Ray Radiation Dose SR)")],
    request: Annotated[
        str | None, typer.Option(help="imaging number or ServiceRequest/id; default: the report's accession number")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="read only, send nothing")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="print the Observations")] = False,
) -> None:
    """Read CT dose reports and store each as an Observation on its exam (SLIPRING_URL says where)."""
    settings = OrderSettings.from_env()
    failed = False
    for file in files:
        try:
            report = read_dose_report(dcmread(file), settings.zone)
        except InvalidDicomError:
            typer.echo(f"{file.name}: this is not a DICOM file. 不是 DICOM 文件。", err=True)
            failed = True
            continue
        except (NotADoseReport, OSError) as problem:
            typer.echo(f"{file.name}: {problem}", err=True)
            failed = True
            continue
        # What was read is shown in any case; that it could not be stored is a second line.
        typer.echo(as_text(report) if as_json else f"{file.name}: {line(report, settings)}")
        if not dry_run:
            failed |= not _stored(file, report, request)
    if failed:
        raise typer.Exit(1)


def _stored(file: Path, report: DoseReport, request: str | None) -> bool:
    try:
        typer.echo(f"{file.name}: stored as {send(report, request)}", err=True)
    except httpx.TransportError:
        typer.echo(
            f"{file.name}: not stored: no server answers at {server_url()} (SLIPRING_URL). 未保存：服务器无应答。",
            err=True,
        )
    except (NotSent, NoToken, httpx.HTTPError) as problem:
        typer.echo(f"{file.name}: not stored: {problem}", err=True)
    else:
        return True
    return False


def line(report: DoseReport, settings: OrderSettings) -> str:
    """One line: events, total DLP, highest CTDIvol, device, alerts, doubts."""
    ctdi = report.max_ctdi_vol_mgy
    parts = [
        f"{len(report.events)} events",
        f"total DLP {report.total_dlp_mgy_cm if report.total_dlp_mgy_cm is not None else '-'} mGy.cm",
        f"CTDIvol max {ctdi if ctdi is not None else '-'} mGy",
        report.device or "unknown device",
    ]
    exceeded = sum(alert.exceeded for alert in report.alerts)
    parts.append(f"{exceeded} dose alerts" if exceeded else "no dose alerts")
    today: date = datetime.now(settings.zone).date()
    tolerance = Decimal(str(settings.limits.limit("dose.total-tolerance", on=today).value))
    return ", ".join(parts) + "".join(f"; {doubt}" for doubt in report.doubts(tolerance))


def as_text(report: DoseReport, request: dict[str, Any] | None = None, subject: dict[str, Any] | None = None) -> str:
    """The Observation as JSON text, every number as the scanner wrote it."""
    based_on = request or {"identifier": {"system": ACSN_SYSTEM, "value": report.accession_number or "-"}}
    observation = as_observation(report, request=based_on, subject=subject, now=datetime.now(UTC))
    return _json(observation)


def send(report: DoseReport, request: str | None, client: httpx.Client | None = None) -> str:
    """Store the report once on its exam; answers the Observation's reference."""
    with client or api_client(os.environ.get("SLIPRING_URL")) as server:
        exam = _find(request or report.accession_number, server)
        based_on = {"reference": f"ServiceRequest/{exam['id']}"}
        answer = server.post(
            "/fhir/Observation",
            content=as_text(report, based_on, exam.get("subject")).encode(),
            headers={
                "Content-Type": _FHIR_JSON,
                "If-None-Exist": f"identifier={DICOM_UID}|urn:oid:{report.sop_instance_uid}",
                "Prefer": "return=representation",
            },
        )
        if answer.status_code not in (httpx.codes.OK, httpx.codes.CREATED):
            raise NotSent(f"the server answered {answer.status_code}: {_said(answer)}")
        return f"Observation/{answer.json()['id']}"


def _find(wanted: str, server: httpx.Client) -> dict[str, Any]:
    if not wanted:
        raise NotSent("the report has no accession number: name the exam with --request")
    if wanted.startswith("ServiceRequest/"):
        answer = server.get(f"/fhir/{wanted}")
        found = [answer.json()] if answer.status_code == httpx.codes.OK else []
    else:
        answer = server.post("/fhir/ServiceRequest/_search", data={"identifier": f"{ACSN_SYSTEM}|{wanted}"})
        found = [entry["resource"] for entry in answer.json().get("entry", [])] if answer.is_success else []
    if len(found) != 1:
        raise NotSent(f"no exam for this report ({len(found)} found, server answered {answer.status_code})")
    return dict(found[0])


def _said(answer: httpx.Response) -> str:
    try:
        return "; ".join(str(issue.get("diagnostics", issue.get("code"))) for issue in answer.json().get("issue", []))
    except ValueError:
        return "no reason given"


def _json(tree: Any) -> str:
    """JSON with decimals as written: numbers never pass through floating point."""
    if isinstance(tree, dict):
        return "{" + ",".join(f"{json.dumps(name)}:{_json(value)}" for name, value in tree.items()) + "}"
    if isinstance(tree, list):
        return "[" + ",".join(map(_json, tree)) + "]"
    return str(tree) if isinstance(tree, Decimal) else json.dumps(tree, ensure_ascii=False)
