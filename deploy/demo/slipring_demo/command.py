"""`slipring demo`: the whole story, from nothing, in one command."""

from __future__ import annotations

import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import httpx
import typer
from pydicom import dcmread
from pydicom.errors import InvalidDicomError
from slipring.front.parts import Unreadable, read_file
from slipring.identity.client import NoToken
from slipring.runtime.postgres import stop
from slipring_order.dose.reading import NotADoseReport, read_dose_report

from slipring_demo.accounts import told_accounts
from slipring_demo.servers import Servers, is_free, start
from slipring_demo.story import tell
from slipring_demo.teller import StepFailed

_PORT = 8100


def demo(
    patient: Annotated[
        list[Path] | None, typer.Option(help="A FHIR Bundle with the patient (repeat for more files).", exists=True)
    ] = None,
    dose_report: Annotated[
        Path | None, typer.Option(help="A CT dose report (DICOM SR) of a real scanner.", exists=True)
    ] = None,
    apart: Annotated[bool, typer.Option(help="Each service as its own process.")] = False,
    once: Annotated[bool, typer.Option(help="Stop after the story, also on a terminal.")] = False,
) -> None:
    """Tell the story of one exam on synthetic people and an embedded database, fresh each time."""
    _look_at(patient or [], dose_report)
    begun = time.monotonic()
    folder = Path(tempfile.mkdtemp(prefix="slipring-demo-"))
    stay = sys.stdout.isatty() and not once and not os.environ.get("ONCE")
    servers: Servers | None = None
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # whoever ends it leaves no database running
    try:
        print("slipring demo (DEMO: synthetic people, keys made for this run)", flush=True)
        servers = start(
            folder, apart=apart, port=_PORT if stay and is_free(_PORT) else 0
        )  # only visitors need the usual one
        print(
            f"front {servers.url}, {len(servers.processes)} process(es), ready after {time.monotonic() - begun:.1f} s",
            flush=True,
        )
        tell(servers, patient or [], dose_report)
        print(f"\nEvery step held. {time.monotonic() - begun:.1f} s in all.", flush=True)
        if stay:
            _stay(servers)
    except StepFailed as failed:
        print(f"\nA step did not hold: {failed}", file=sys.stderr)
        raise typer.Exit(1) from failed
    except (RuntimeError, NoToken, httpx.HTTPError) as failed:
        print(f"\nThe demo could not run: {failed}", file=sys.stderr)
        raise typer.Exit(1) from failed
    finally:
        if servers:
            servers.stop()
        stop(folder)
        shutil.rmtree(folder, ignore_errors=True)


def _look_at(patients: Sequence[Path], dose_report: Path | None) -> None:
    """A file that cannot be read ends the demo before anything is started."""
    try:
        for path in patients:
            read_file(path)
        if dose_report:
            read_dose_report(dcmread(dose_report))
    except Unreadable as problem:
        print(problem, file=sys.stderr)
        raise typer.Exit(1) from problem
    except (NotADoseReport, InvalidDicomError, OSError) as problem:
        print(f"{dose_report}: {problem}", file=sys.stderr)
        raise typer.Exit(1) from problem


def _stay(servers: Servers) -> None:
    """On a terminal the department stays open for a look around."""
    print(f"\nStill running: {servers.url}/  {servers.url}/fhir/metadata")
    print(f"Sign in: {servers.url}/auth/sign-in with")
    for line in told_accounts(servers.data_dir):
        print(f"  {line}")
    print(f"A token: SLIPRING_URL={servers.url} slipring token --data-dir {servers.data_dir}")
    print("Ctrl-C ends it.", flush=True)
    try:
        while all(process.poll() is None for process in servers.processes):
            time.sleep(0.5)
    except KeyboardInterrupt:
        print("\nstopping")
