"""`slipring doctor` on a real installation: healthy, hurt and stopped."""

from __future__ import annotations

import ast
import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from slipring.fhir.service import CANONICAL, Keeps, Service
from slipring.runtime.postgres import ensure_running, stop
from slipring.runtime.settings import Settings
from slipring.upkeep.doctor.look import look
from slipring.upkeep.doctor.remark import data
from slipring_demo.servers import free_port

from tests.architecture.tree import ROOT
from tests.fhir.place import opened
from tests.support.ringing import a_route
from tests.support.server import Server

_FHIR = {"Content-Type": "application/fhir+json"}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    made = Server(tmp_path_factory.mktemp("doctor"), environment={"SLIPRING_LOG_LEVEL": "warning"})
    made.start(seconds=120)
    yield made
    made.stop()
    stop(made.data_dir)


def unnamed(resource: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in resource.items() if name != "id"}


def examined(server: Server, **environment: str) -> tuple[int, dict[str, dict[str, Any]]]:
    """The exit code and the remarks by code; of several with one code the first."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("SLIPRING_")}
    ran = subprocess.run(
        [str(Path(sys.executable).with_name("slipring")), "doctor", "--json", "--data-dir", str(server.data_dir)],
        env={**clean, "SLIPRING_URL": server.url, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    tree = json.loads(ran.stdout)
    assert tree["status"] == ran.returncode
    found: dict[str, dict[str, Any]] = {}
    for remark in tree["remarks"]:
        found.setdefault(remark["code"], remark)
    return ran.returncode, found


def test_a_running_demo_needs_no_more_than_a_look(server: Server) -> None:
    code, remarks = examined(server)
    assert code == 1, remarks
    assert {remark["level"] for remark in remarks.values()} <= {"ok", "warn", "unseen"}
    assert {"mode-demo", "backup-never", "postgres-release", "keys-there"} <= remarks.keys()
    assert not {"service-down", "address-silent", "copies-behind", "postgres-setting"} & remarks.keys()


def test_a_key_that_others_may_read_and_one_that_is_gone_are_bad(server: Server) -> None:
    key, gone = (server.data_dir / "keys" / f"slipring-{name}.jwk.json" for name in ("order", "report"))
    key.chmod(0o644)
    hidden = gone.rename(gone.with_suffix(".away"))
    try:
        code, remarks = examined(server)
    finally:
        key.chmod(0o600)
        hidden.rename(gone)
    assert code == 2
    assert remarks["key-open"]["about"] == key.name
    assert remarks["key-missing"]["about"] == "slipring-report"
    assert "keys init" in remarks["key-missing"]["fix_en"]
    assert "keys init" in remarks["key-missing"]["fix_zh"]


def test_a_subscriber_that_nobody_reaches_is_named(server: Server) -> None:
    subscription = {
        "resourceType": "Subscription",
        "status": "requested",
        "reason": "visits",
        "criteria": "Encounter?",
        "channel": {"type": "rest-hook", "endpoint": f"http://127.0.0.1:{free_port()}/gone"},
    }
    with server.client() as http:
        made = http.post("/fhir/Subscription", json=subscription, headers=_FHIR)
        assert made.status_code == 201, made.text
        encounter = {"resourceType": "Encounter", "status": "planned", "class": {"code": "AMB"}}
        assert http.post("/fhir/Encounter", json=encounter, headers=_FHIR).status_code == 201
        end = time.monotonic() + 20
        while "lane-in-error" not in (remarks := examined(server)[1]):
            assert time.monotonic() < end
        assert remarks["lane-in-error"]["about"] == f"order: {made.json()['id']}"
        assert http.delete(f"/fhir/Subscription/{made.json()['id']}").is_success


def test_a_backup_is_remembered(server: Server, tmp_path: Path) -> None:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("SLIPRING_")}
    command = [str(Path(sys.executable).with_name("slipring")), "backup", str(tmp_path / "kept")]
    subprocess.run([*command, "--data-dir", str(server.data_dir)], env=clean, check=True, capture_output=True)
    assert examined(server)[1]["backup-hours"]["level"] == "ok"


def test_a_stopped_installation_is_looked_at_as_far_as_possible(server: Server) -> None:
    server.stop()
    code, remarks = examined(server)
    assert remarks["service-down"]["level"] == "warn"
    assert remarks["address-silent"]["about"] == "front"
    stop(server.data_dir)
    code, remarks = examined(server)
    assert code == 2
    assert "not" in remarks["database-down"]["en"]
    assert "postgres-release" not in remarks
    assert remarks["keys-there"]["level"] == "ok"
    assert not (server.data_dir / "postgres" / "postmaster.pid").exists(), "the doctor starts nothing"


def test_what_nobody_confirmed_is_listed_most_dangerous_first(tmp_path: Path) -> None:
    nobody = Server(tmp_path)
    code, remarks = examined(nobody)
    waiting = [remark["about"] for remark in remarks.values() if remark["code"].startswith("unconfirmed-")]
    assert code == 2
    assert waiting[0] == "esur-10:consent.prior-reaction"
    confirmed = examined(nobody, SLIPRING_LIMITS_CONFIRMED="*", SLIPRING_CONSENT_CONFIRMED="*,")[1]
    assert not {"unconfirmed-order", "unconfirmed-consent"} & confirmed.keys()
    assert "unconfirmed-critical" in confirmed
    assert not list(tmp_path.iterdir()), "the doctor leaves nothing behind"


@pytest.mark.clause("5.3.2.5")
async def test_what_two_of_the_department_have_approved_waits_for_nobody(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SLIPRING_CONSENT_CONFIRMED", raising=False)
    monkeypatch.delenv("SLIPRING_DEMO", raising=False)
    entry = [
        {"url": "id", "valueString": "esur-10:consent.prior-reaction:severe"},
        {"url": "value", "valueCode": "ask"},
    ]
    plan = {
        "resourceType": "PlanDefinition", "url": f"{CANONICAL}/PlanDefinition/contrast-policy", "status": "draft",
        "effectivePeriod": {"start": "2026-01-01"},
        "extension": [{"url": f"{CANONICAL}/StructureDefinition/rule-limit", "extension": entry}],
    }  # fmt: skip
    settings = Settings(database_url=await asyncio.to_thread(ensure_running, data_dir), schema_prefix="doctor_")

    async def waiting() -> list[str]:
        seen = await look(settings, data_dir, datetime.now(UTC))
        return [remark.about for remark in seen if remark.code == "unconfirmed-consent"]

    keeps = Service("order", "o", "x", keeps=[Keeps("PlanDefinition")])
    async with opened(data_dir, keeps, schema_prefix="doctor_") as street:
        kept = await street["order"].make(plan)
        assert (await waiting())[0] == "esur-10:consent.prior-reaction"
        approved = await street["order"].ask("PUT", f"PlanDefinition/{kept['id']}", {**kept, "status": "active"})
        assert approved.is_success, approved.text
        told = await waiting()
        assert told and "esur-10:consent.prior-reaction" not in told


@pytest.mark.clause("5.9.1")
async def test_a_staffed_desk_with_a_route_of_its_own_is_where_every_ladder_ends(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SLIPRING_DEMO", raising=False)
    settings = Settings(database_url=await asyncio.to_thread(ensure_running, data_dir), schema_prefix="desked_")

    async def missing() -> bool:
        return any(remark.code == "fallback-missing" for remark in await look(settings, data_dir, datetime.now(UTC)))

    keeps = Service("critical", "k", "x", keeps=[Keeps("Endpoint")])
    async with opened(data_dir, keeps, schema_prefix="desked_") as street:
        await street["critical"].make(unnamed(a_route("ward-duty", "duty.test")))
        assert await missing()
        desk = await street["critical"].make(unnamed(a_route("fallback", "desk.test")))
        assert not await missing()
        off = await street["critical"].ask("PUT", f"Endpoint/{desk['id']}", {**desk, "status": "off"})
        assert off.is_success, off.text
        assert await missing()


def test_every_remark_has_its_words_and_every_word_its_remark() -> None:
    written = set()
    ours = (ROOT / "shared" / "slipring" / "upkeep" / "doctor").glob("*.py")
    for path in [*ours, *ROOT.glob("services/*/slipring_*/**/seen.py")]:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                written.add(node.value)
    listed = set(data()["say"])
    assert {code for code in listed if code not in written and not code.startswith("unconfirmed-")} == set()
    for code, words in data()["say"].items():
        assert words["zh"], code
        assert words["en"], code
