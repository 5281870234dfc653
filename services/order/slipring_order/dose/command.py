"""`slipring dose FILE...`: what dose reports say, as one JSON object; `--send` stores them with their exams."""

from __future__ import annotations

import os
import time
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any

import httpx
import typer
from slipring.identity.client import NoToken, api_client, server_url

from slipring_order.dose.finding_files import Named, named_files, names_of, read_file
from slipring_order.dose.printed import as_error, as_tree, exact_json, of_study
from slipring_order.dose.problem import Damaged, NotADoseReport
from slipring_order.dose.reading import read_dose_report
from slipring_order.dose.report import DoseReport
from slipring_order.dose.sending import NotSent, send
from slipring_order.dose.several import studies
from slipring_order.settings import OrderSettings

_BETWEEN_SIGNS_S = 2.0


def dose(
    files: Annotated[
        list[Path], typer.Argument(help="DICOM dose reports (X-Ray Radiation Dose SR), folders, patterns")
    ],
    store: Annotated[bool, typer.Option("--send", help="store each on its exam (SLIPRING_URL says where)")] = False,
    request: Annotated[
        str | None,
        typer.Option(help="with --send: imaging number or ServiceRequest/id instead of the report's accession number"),
    ] = None,
) -> None:
    """Print what CT dose reports say: one JSON object, an entry per file; exit code 1 when a file gave nothing."""
    settings = OrderSettings.from_env()
    answers: dict[str, dict[str, Any]] = {}
    reports: dict[str, DoseReport] = {}
    paths: dict[str, Path] = {}
    skipped = 0
    for name, file in _with_signs(list(names_of(named_files(files)))):
        try:
            with _quiet():
                report = read_dose_report(read_file(file.path), settings.zone)
        except NotADoseReport as problem:
            told = file.asked or isinstance(problem, Damaged)
            skipped += not told
            if told:
                answers[name] = as_error(problem)
                typer.echo(f"{name}: {problem}", err=True)
            continue
        paths[name] = file.path
        answers[name] = as_tree(report, _tolerance(settings))
        # One that names itself by nothing is itself alone, whatever else is nameless.
        reports[name] = report if report.sop_instance_uid else replace(report, sop_instance_uid=f"file:{name}")
    _add_studies(answers, reports)
    typer.echo(exact_json(answers))
    if skipped:
        typer.echo(
            f"{skipped} other files of the folders are no dose reports. 文件夹中另有 {skipped} 个文件不是剂量报告。",
            err=True,
        )
    failed = not reports or any("error" in answer for answer in answers.values())
    if store or request:
        stored = [_stored(name, paths[name], request) for name in reports]  # one that fails keeps no other from it
        failed |= not all(stored)
    if failed:
        raise typer.Exit(1)


def _add_studies(answers: dict[str, dict[str, Any]], reports: dict[str, DoseReport]) -> None:
    """Say of each report how it stands among those of the same study."""
    names = {report.sop_instance_uid: name for name, report in reversed(reports.items())}
    of_report = {
        uid: study for study in studies(list(reports.values())) for uid in _uids(study.counted, study.replaced)
    }
    for name, report in reports.items():
        answers[name] |= of_study(report, of_report[report.sop_instance_uid], names)
        if names[report.sop_instance_uid] != name:
            answers[name]["replaced_by"] = names[report.sop_instance_uid]


def _uids(counted: Iterable[DoseReport], replaced: Iterable[str]) -> Iterator[str]:
    yield from (report.sop_instance_uid for report in counted)
    yield from replaced


def _stored(name: str, path: Path, request: str | None) -> bool:
    try:
        with api_client(os.environ.get("SLIPRING_URL")) as server:
            typer.echo(f"{name}: stored as {send(path.read_bytes(), request, server)}", err=True)
    except httpx.TransportError:
        typer.echo(
            f"{name}: not stored: no server answers at {server_url()} (SLIPRING_URL). 未保存：服务器无应答。", err=True
        )
    except (NotSent, NoToken, httpx.HTTPError) as problem:
        typer.echo(f"{name}: not stored: {problem}", err=True)
    else:
        return True
    return False


def _tolerance(settings: OrderSettings) -> Decimal:
    today = datetime.now(settings.zone).date()
    return Decimal(str(settings.limits.limit("dose.total-tolerance", on=today).value))


def _with_signs(files: list[tuple[str, Named]]) -> Iterator[tuple[str, Named]]:
    """The files one by one; a long run shows on stderr how far it is."""
    shown_at = time.monotonic()
    for done, file in enumerate(files):
        if time.monotonic() - shown_at >= _BETWEEN_SIGNS_S:
            shown_at = time.monotonic()
            typer.echo(f"{done} of {len(files)} files read", err=True)
        yield file


@contextmanager
def _quiet() -> Iterator[None]:
    """What pydicom finds odd in a file is either mended here or said in the answer."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
