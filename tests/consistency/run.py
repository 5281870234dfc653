"""Many clients on a few registers of two replicas, while servers and the database are killed; then everything is checked."""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections import Counter
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import httpx
from slipring.identity.client import BackendAuth, NoToken
from slipring.identity.keys import key_file

from tests.consistency.blows import misfortune
from tests.consistency.checker import FOREVER, Operation
from tests.support.server import Server

_FHIR = {"Content-Type": "application/fhir+json"}
_PATCH = {"Content-Type": "application/json-patch+json"}
_MOVES = ("write", "match", "match", "patch", "delete", "transaction", "read", "read", "vread")


@dataclass
class Run:
    """One run: its registers, what the clients saw, and what was done to the servers."""

    data_dir: Path
    replicas: list[Server]
    seed: random.Random
    ends_at: float = 0.0
    registers: list[str] = field(default_factory=list)
    seen: dict[str, list[Operation]] = field(default_factory=dict)
    transactions: dict[str, list[str]] = field(default_factory=dict)
    tally: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    succeeded_at: list[float] = field(default_factory=list)
    killed: list[tuple[float, str]] = field(default_factory=list)

    # --- the clients ---------------------------------------------------------------------------------------------

    async def client(self, number: int) -> None:
        """One client: one request after another, each to some replica."""
        chance = random.Random(self.seed.random())
        async with httpx.AsyncClient(auth=_auth(self.replicas[0]), timeout=20, trust_env=False) as http:
            known: dict[str, tuple[int, str | None]] = {}
            count = 0
            while time.monotonic() < self.ends_at:
                count += 1
                register, replica = chance.choice(self.registers), chance.choice(self.replicas)
                move, value = chance.choice(_MOVES), f"w{number}-{count}"
                began = time.monotonic()
                try:
                    await self._move(http, replica.url, move, register, value, known, began)
                except (httpx.HTTPError, NoToken, OSError):
                    self._unknown(move, register, value, known, began)
                    await asyncio.sleep(0.05)

    async def _move(
        self, http: httpx.AsyncClient, url: str, move: str, register: str, value: str, known: Any, began: float
    ) -> None:
        version, _ = known.get(register, (1, None))
        path = f"{url}/fhir/{register}"
        match move:
            case "read":
                answer = await http.get(path)
            case "vread":
                answer = await http.get(f"{path}/_history/{version}")
                if answer.status_code == 200:
                    self._read(register, answer, began, old=True)
                return
            case "delete":
                answer = await http.delete(path)
            case "patch":
                patch = [{"op": "replace", "path": "/name", "value": value}]
                answer = await http.patch(path, content=json.dumps(patch), headers=_PATCH)
            case "transaction":
                await self._transaction(http, url, register, value, began)
                return
            case _:
                headers = {**_FHIR, **({"If-Match": f'W/"{version}"'} if move == "match" else {})}
                answer = await http.put(path, content=json.dumps(_location(register, value)), headers=headers)
        self._answered(move, register, value, version, known, answer, began)

    async def _transaction(self, http: httpx.AsyncClient, url: str, register: str, value: str, began: float) -> None:
        registers = sorted({register, self.seed.choice(self.registers), self.seed.choice(self.registers)})
        self.transactions[value] = registers
        entries = [{"request": {"method": "PUT", "url": r}, "resource": _location(r, value)} for r in registers]
        body = {"resourceType": "Bundle", "type": "transaction", "entry": entries}
        answer = None
        try:
            answer = await http.post(f"{url}/fhir", content=json.dumps(body), headers=_FHIR)
        except (httpx.HTTPError, NoToken, OSError):
            self.tally["no answer"] += 1
        ended = time.monotonic()
        if answer is not None and answer.status_code == 200:
            self._succeeded("transaction", ended)
            for r, entry in zip(registers, answer.json()["entry"], strict=True):
                version = int(entry["response"]["etag"].strip('W/"'))
                self.seen[r].append(Operation("write", began, ended, value, version))
            return
        if answer is not None:
            self._expect(answer, {503, 409})
        for r in registers:
            self.seen[r].append(Operation("write", began, FOREVER, value, known=False))

    def _answered(
        self, move: str, register: str, value: str, expects: int, known: Any, answer: httpx.Response, began: float
    ) -> None:
        ended, status = time.monotonic(), answer.status_code
        if status == 503:
            self._unknown(move, register, value, known, began)
            return
        self._expect(answer, {200, 201, 204, 404, 409, 410, 412})
        if move == "read" and status in (200, 410):
            self._read(register, answer, began)
            if status == 200:
                known[register] = (int(answer.json()["meta"]["versionId"]), answer.json()["name"])
        elif move == "match" and status == 412:
            self.tally["412"] += 1
            self.seen[register].append(Operation("match", began, ended, value, None, expects, refused=True))
        elif move == "delete" and status == 204:
            self._succeeded(move, ended)
            # Nobody is told which version a DELETE made.
            self.seen[register].append(Operation("delete", began, ended))
        elif status in (200, 201):
            self._succeeded(move, ended)
            version = int(answer.headers["ETag"].strip('W/"'))
            known[register] = (version, value)
            kind = "match" if move == "match" else "write"
            needs = expects if move == "match" else None
            self.seen[register].append(Operation(kind, began, ended, value, version, needs))

    def _read(self, register: str, answer: httpx.Response, began: float, *, old: bool = False) -> None:
        ended = time.monotonic()
        self._succeeded("vread" if old else "read", ended)
        if answer.status_code == 410:
            self.seen[register].append(Operation("read", began, ended))
            return
        tree = answer.json()
        version, value = int(tree["meta"]["versionId"]), tree["name"]
        if old:  # says nothing about the present, but must be what that version is for good
            self.wrong += [] if self.versions_agree(register, version, value) else [f"{register}/{version} changed"]
        else:
            self.seen[register].append(Operation("read", began, ended, value, version))

    def versions_agree(self, register: str, version: int, value: str) -> bool:
        """One text per version number, as far as anybody has seen."""
        return all(o.value == value for o in self.seen[register] if o.version == version and o.kind != "delete")

    def _unknown(self, move: str, register: str, value: str, known: Any, began: float) -> None:
        self.tally["no answer"] += 1
        if move in ("write", "patch", "match"):
            expects = known.get(register, (1, None))[0] if move == "match" else None
            kind = "match" if move == "match" else "write"
            self.seen[register].append(Operation(kind, began, FOREVER, value, None, expects, known=False))
        elif move == "delete":
            self.seen[register].append(Operation("delete", began, FOREVER, known=False))

    def _succeeded(self, move: str, at: float) -> None:
        self.tally[move] += 1
        self.succeeded_at.append(at)

    def _expect(self, answer: httpx.Response, statuses: set[int]) -> None:
        if answer.status_code not in statuses:
            self.wrong.append(f"answered {answer.status_code}: {answer.text[:300]}")

    def longest_silence(self) -> float:
        """The longest time without any success, in seconds."""
        moments = sorted(self.succeeded_at)
        return max((b - a for a, b in pairwise(moments)), default=0.0)

    def back_after(self) -> list[tuple[str, float]]:
        """For each blow, how long until the next success."""
        moments = sorted(self.succeeded_at)
        return [(what, round(next((m - at for m in moments if m > at), FOREVER), 2)) for at, what in self.killed]


async def consistency(data_dir: Path, *, seconds: float, clients: int = 12, registers: int = 5, seed: int = 1) -> Run:
    """Run it; `judge` says what is wrong."""
    first = Server(data_dir, environment={"SLIPRING_LOG_LEVEL": "error"})
    alike = {**first.environment, "SLIPRING_URL": first.url}  # replicas make out tokens in one name
    replicas = [first, Server(data_dir, environment=alike)]
    run = Run(data_dir, replicas, random.Random(seed))
    try:
        await asyncio.gather(*(asyncio.to_thread(server.start, seconds=240) for server in replicas))
        async with httpx.AsyncClient(auth=_auth(replicas[0]), timeout=20, trust_env=False) as http:
            for _ in range(registers):
                answer = await http.post(
                    f"{replicas[0].url}/fhir/Location",
                    content=json.dumps(_location("Location/", "first")),
                    headers=_FHIR,
                )
                assert answer.status_code == 201, answer.text
                run.registers.append(f"Location/{answer.json()['id']}")
        run.seen = {register: [] for register in run.registers}
        run.ends_at = time.monotonic() + seconds
        await asyncio.gather(misfortune(run), *(run.client(number) for number in range(clients)))
    finally:
        for server in replicas:
            await asyncio.to_thread(server.stop)
    return run


def _auth(server: Server) -> BackendAuth:
    return BackendAuth(f"{server.url}/auth/token", "demo-his", key_file(server.data_dir, "demo-his"), "system/*.cruds")


def _location(register: str, value: str) -> dict[str, Any]:
    name = register.partition("/")[2]
    return {"resourceType": "Location", "name": value, **({"id": name} if name else {})}
