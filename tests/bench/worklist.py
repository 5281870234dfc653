"""The worklist over many scheduled steps, asked through real associations: the time of one C-FIND from request to last answer."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
from slipring.fhir.search.index import rows
from slipring.fhir.service import Stored
from slipring.fhir.store.commit import FAMILIES
from slipring.fhir.text import encode
from slipring.runtime.postgres import ensure_running
from slipring_order.dicom.entry import AE_TITLE_SYSTEM
from slipring_order.reading import instant
from slipring_order.resources import ACSN_SYSTEM, TASK_CODE_SYSTEM
from slipring_order.rooms.step import Booking, new_step, step_number

from tests.bench import serving
from tests.dicom.modality import a_query, asked, associated

SCANNERS = 4
A_DAY = 60  # exams of one scanner
_SLOT = timedelta(minutes=12)
_LAST_KEY = "SELECT coalesce(max(key), 0) FROM resource"
Tree = dict[str, Any]


@dataclass(frozen=True)
class Took:
    """Times of one kind of query."""

    asked_for: str
    entries: int
    p50_ms: float
    p99_ms: float
    asker_ms: float  # processor time that the asker itself took for reading the answers
    queries: int


async def measure(folder: Path, steps: int, times: int, say: Callable[[str], None]) -> list[Took]:
    """Load the steps, then ask as scanners do: for their day, for one number, for one patient, by name."""
    port, dicom = serving.free_port(), serving.free_port()
    peers = folder / "peers.toml"
    peers.write_text("".join(f'[[peer]]\nae_title = "CT{n}"\n' for n in range(SCANNERS)), encoding="utf-8")
    begins = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
    settings = {"SLIPRING_DICOM_PORT": str(dicom), "SLIPRING_DICOM_PEERS": str(peers)}
    with serving.slipring(folder, port, **settings):
        connection = await asyncpg.connect(ensure_running(folder), server_settings={"search_path": "order"})
        try:
            await load(connection, steps, begins)
        finally:
            await connection.close()
        say(f"{steps} scheduled steps are loaded")
        day = f"{begins:%Y%m%d}"
        queries = {
            "one scanner's day": {"ScheduledStationAETitle": "CT1", "ScheduledProcedureStepStartDate": day},
            "one imaging number": {"AccessionNumber": number_of(steps // 2)},
            "one patient": {"PatientID": f"BENCH-{steps // 3}"},
            "one name, of all days": {"PatientName": f"示例{steps // 4}^*", "SpecificCharacterSet": "ISO_IR 192"},
        }
        return [_took(dicom, name, keys, times) for name, keys in queries.items()]


def _took(port: int, name: str, keys: dict[str, str], times: int) -> Took:
    seconds, entries, used = [], 0, 0.0
    with associated(port) as scanner:
        for turn in range(times + 3):
            if turn == 3:
                used = time.process_time()
            query = a_query(**keys)
            begun = time.perf_counter()
            found, statuses = asked(scanner, query)
            if statuses[-1] != 0:
                raise SystemExit(f"a worklist query was refused ({statuses[-1]:#06x})")
            entries = len(found)
            if turn >= 3:
                seconds.append(time.perf_counter() - begun)
        asker = (time.process_time() - used) / times
    slowest = sorted(seconds)[min(len(seconds) - 1, int(len(seconds) * 0.99))]
    return Took(name, entries, 1000 * statistics.median(seconds), 1000 * slowest, 1000 * asker, times)


def number_of(number: int) -> str:
    """The imaging number of a made-up exam."""
    return f"CT20260302{number:06d}"


async def load(connection: asyncpg.Connection, steps: int, begins: datetime) -> None:
    """Copy patients, requests, exams, steps and appointments in through the indexer that writes go through."""
    made = [tree for number in range(steps) for tree in _exam(number, begins)]
    trees = [*(_scanner(n) for n in range(SCANNERS)), *made]
    key = int(await connection.fetchval(_LAST_KEY))
    now = datetime.now(UTC)
    stamp = {"versionId": "1", "lastUpdated": f"{now:%Y-%m-%dT%H:%M:%S}.000Z"}
    resources, versions = [], []
    found: dict[str, list[tuple[Any, ...]]] = {table: [] for table, *_ in FAMILIES}
    for place, tree in enumerate(trees, key + 1):
        whole = {**tree, "meta": stamp}
        resources.append((place, tree["resourceType"], tree["id"], 1, now))
        versions.append((place, 1, now, "POST", encode(whole)))
        of_this = rows(whole)
        for table, _, _, attribute in FAMILIES:
            found[table] += [(place, *row) for row in getattr(of_this, attribute)]
    copy = connection.copy_records_to_table
    await copy("resource", records=resources, columns=("key", "type", "id", "version", "updated_at"))
    await copy("version", records=versions, columns=("key", "version", "updated_at", "method", "body"))
    for table, columns, *_ in FAMILIES:
        await copy(table, records=found[table], columns=("key", *columns))
    await connection.execute("SELECT setval('resource_key_seq', (SELECT max(key) FROM resource))")
    await connection.execute(f"VACUUM ANALYZE resource, version, {', '.join(table for table, *_ in FAMILIES)}")


def _exam(number: int, begins: datetime) -> Iterator[Tree]:
    scanner, place = number % SCANNERS, number // SCANNERS
    start = begins + timedelta(days=place // A_DAY) + (place % A_DAY) * _SLOT
    patient, request = f"o-patient-{number}", f"o-request-{number}"
    based_on = [{"reference": f"ServiceRequest/{request}"}]
    period = {"start": instant(start), "end": instant(start + _SLOT)}
    numbered = {"system": ACSN_SYSTEM, "value": number_of(number)}
    yield {
        "resourceType": "Patient", "id": patient, "gender": "male", "birthDate": "1958-04-12",
        "identifier": [{"system": "urn:bench", "value": f"BENCH-{number}"}],
        "name": [{"family": f"示例{number}", "given": ["患者"]}],
    }  # fmt: skip
    yield {
        "resourceType": "ServiceRequest", "id": request, "status": "active", "intent": "order", "identifier": [numbered],
        "code": {"coding": [{"system": "http://loinc.org", "code": "24627-2", "display": "CT Chest"}]},
        "subject": {"reference": f"Patient/{patient}"},
    }  # fmt: skip
    exam = {
        "resourceType": "Task", "id": f"o-exam-{number}", "status": "accepted", "intent": "order",
        "code": {"coding": [{"system": TASK_CODE_SYSTEM, "code": "exam"}]}, "groupIdentifier": numbered,
        "basedOn": based_on, "focus": based_on[0], "for": {"reference": f"Patient/{patient}"},
    }  # fmt: skip
    yield exam
    booking = Booking(f"Device/o-bench-ct{scanner}", start, start + _SLOT)
    appointment = f"o-appointment-{number}"
    stored = Stored(exam, 1, begins)
    names = {"id": f"o-step-{number}", "step_id": step_number(number), "now": begins}
    yield new_step(stored, booking, f"Appointment/{appointment}", **names)
    actors = (f"Patient/{patient}", booking.scanner)
    yield {
        "resourceType": "Appointment", "id": appointment, "status": "booked", "basedOn": based_on, **period,
        "participant": [{"actor": {"reference": actor}, "status": "accepted"} for actor in actors],
    }  # fmt: skip


def _scanner(number: int) -> Tree:
    return {
        "resourceType": "Device", "id": f"o-bench-ct{number}", "status": "active",
        "identifier": [{"system": AE_TITLE_SYSTEM, "value": f"CT{number}"}],
        "type": {"coding": [{"system": "http://dicom.nema.org/resources/ontology/DCM", "code": "CT"}]},
    }  # fmt: skip
