"""`slipring load FILE...`: any Bundle through the front, split by owner, each resource created once."""

from __future__ import annotations

import time
import uuid
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx
import msgspec

from slipring.front.owners import Owners, the_owners
from slipring.front.parts import Load, Part, as_batch, conditions_in, gathered, in_batches, read_file, resolved
from slipring.front.waiting import BUSY, Waits
from slipring.runtime.coming_again import retry_after

_BATCH = 200
_FHIR = {"Content-Type": "application/fhir+json"}
_FORM = {"Content-Type": "application/x-www-form-urlencoded"}
_SHOWN_REFUSALS = 10


@dataclass(slots=True)
class Summary:
    """What became of the resources, counted by type."""

    stored: Counter[str] = field(default_factory=Counter)
    there: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    skipped: Counter[str] = field(default_factory=Counter)
    left: Counter[str] = field(default_factory=Counter)  # not stored, because the load was stopped before
    unresolved: int = 0
    reasons: list[str] = field(default_factory=list)

    def lines(self) -> list[str]:
        """The summary as text, one line per type."""
        types = sorted({*self.stored, *self.there, *self.refused, *self.left})
        width = max((len(name) for name in [*types, *self.skipped]), default=0)
        lines = [
            f"{name:<{width}}  {self.stored[name]:>6} stored  {self.there[name]:>6} already there"
            + (f"  {self.refused[name]:>6} refused" if self.refused[name] else "")
            + (f"  {self.left[name]:>6} not stored" if self.left[name] else "")
            for name in types
        ]
        lines += [
            f"{name:<{width}}  {count:>6} skipped (nobody keeps this type)" for name, count in self.skipped.items()
        ]
        if self.unresolved:
            lines.append(f"{self.unresolved} conditional references matched nothing and became logical references")
        lines.append(
            f"total: {self.stored.total()} stored, {self.there.total()} already there,"
            f" {self.refused.total()} refused, {self.skipped.total()} skipped"
            + (f", {self.left.total()} not stored" if self.left else "")
        )
        return lines


class LoadStopped(Exception):
    """The front refused to go on; the message says why, `summary` how far it came."""

    summary: Summary | None = None


def load_files(
    paths: Sequence[Path],
    http: httpx.Client,
    tell: Callable[[str], None],
    owners: Owners | None = None,
    *,
    sleep: Callable[[float], None] = time.sleep,
) -> Summary:
    """Load files through the front that `http` points at; `tell` hears how far it is.

    A busy front is waited for. Raises LoadStopped when it refuses, is gone, or stays busy for ten minutes.
    """
    owners = owners or the_owners()
    load = gathered(
        (read_file(path) for path in paths), lambda kept: bool(owners.keepers_of(kept)), lambda: str(uuid.uuid4())
    )
    tell(f"{len(load.parts)} resources to load from {len(paths)} file(s)")
    loader = _Loader(http, tell, owners, sleep)
    try:
        return loader.run(load)
    except LoadStopped as stopped:
        stopped.summary = loader.so_far(load)
        raise


class _Loader:
    def __init__(
        self, http: httpx.Client, tell: Callable[[str], None], owners: Owners, sleep: Callable[[float], None]
    ) -> None:
        self._http = http
        self._tell = tell
        self._sleep = sleep
        self._owners = owners
        self._found: dict[str, str | None] = {}  # condition -> reference, or None
        self._summary = Summary()

    def run(self, load: Load) -> Summary:
        self._summary.skipped.update(load.skipped)
        here = {part.reference for part in load.parts}
        waiting = load.parts
        done = 0
        # What others point at is stored before conditions that ask for it are searched.
        while waiting:
            stage, waiting = _next_stage(waiting)
            for _, batch in in_batches(stage, self._owner, _BATCH):
                self._batch(batch, load)
                done += len(batch)
                self._tell(f"{done}/{len(here)}  {batch[0].type}")
        return self._summary

    def so_far(self, load: Load) -> Summary:
        """What became of the resources until now, and which are left."""
        done = self._summary
        done.left = Counter(part.type for part in load.parts) - done.stored - done.there - done.refused
        return done

    def _owner(self, resource: dict[str, Any]) -> str:
        ownership = self._owners.owner_of(resource)
        return ownership.owner if ownership else ""

    def _batch(self, batch: list[Part], load: Load) -> None:
        there = self._already_there(batch)
        self._summary.there.update(part.type for part in batch if part.reference in there)
        missing = [part for part in batch if part.reference not in there and not self._known_otherwise(part, load)]
        if not missing:
            return
        for condition in conditions_in(missing):
            if self._matched(condition) is None:
                self._summary.unresolved += 1
        self._send([resolved(part, load.references, self._found) for part in missing])

    def _known_otherwise(self, part: Part, load: Load) -> bool:
        """Whether its `ifNoneExist` finds the same thing under another id: then that one is pointed at."""
        if not part.if_none_exist:
            return False
        found = self._matched(f"{part.type}?{part.if_none_exist}")
        if found is None:
            # It is stored now: whoever asks for it later must search again.
            del self._found[f"{part.type}?{part.if_none_exist}"]
            return False
        load.references[part.full_url] = found
        self._summary.there[part.type] += 1
        return True

    def _already_there(self, batch: list[Part]) -> set[str]:
        """Which of these the front has: a count first, the list only if some but not all are there."""
        kept_type = batch[0].type
        ids = ",".join(str(part.resource["id"]) for part in batch)
        count = self._search(kept_type, [("_id", ids), ("_count", "0")]).get("total")
        if count == 0:
            return set()
        if count == len(batch):
            return {part.reference for part in batch}
        found = self._search(kept_type, [("_id", ids), ("_count", str(_BATCH))])
        return {f"{kept_type}/{entry['resource']['id']}" for entry in found.get("entry", ())}

    def _matched(self, condition: str) -> str | None:
        if condition not in self._found:
            kept_type, _, query = condition.partition("?")
            pairs = [(name, value) for name, _, value in (pair.partition("=") for pair in query.split("&"))]
            entries = []
            if self._owners.keepers_of(kept_type):
                entries = self._search(kept_type, [*pairs, ("_count", "2")]).get("entry", [])
            self._found[condition] = f"{kept_type}/{entries[0]['resource']['id']}" if len(entries) == 1 else None
        return self._found[condition]

    def _search(self, kept_type: str, pairs: list[tuple[str, str]]) -> Any:
        answer = self._answered(f"/fhir/{kept_type}/_search", urlencode(pairs).encode(), _FORM)
        if answer.status_code != httpx.codes.OK:
            raise LoadStopped(f"searching {kept_type} was answered {answer.status_code}: {_text(answer.content)}")
        return msgspec.json.decode(answer.content)

    def _answered(self, address: str, content: bytes, headers: dict[str, str]) -> httpx.Response:
        """Ask, and ask again while the server is busy; each of our requests may be repeated."""
        waits = Waits(self._sleep)
        while True:
            try:
                answer = self._http.post(address, content=content, headers=headers)
            except httpx.TransportError as problem:
                said = f"The server does not answer ({type(problem).__name__}). Start it, or set SLIPRING_URL."
                raise LoadStopped(said) from problem
            asked = retry_after(answer.headers.get("retry-after", ""))
            if answer.status_code not in BUSY or not waits.again(asked, self._tell):
                return answer

    def _send(self, parts: list[Part]) -> None:
        waits = Waits(self._sleep)
        while parts:
            answer = self._answered("/fhir", as_batch(parts), _FHIR)
            if answer.status_code != httpx.codes.OK:
                raise LoadStopped(f"a batch was answered {answer.status_code}: {_text(answer.content)}")
            entries: Any = msgspec.json.decode(answer.content)["entry"]
            answers = [(part, entry["response"]) for part, entry in zip(parts, entries, strict=True)]
            busy = [part for part, response in answers if _status(response) in BUSY]
            if busy and not waits.again(None, self._tell):
                busy = []
            for part, response in answers:
                if part not in busy:
                    self._count(part, response)
            parts = busy

    def _count(self, part: Part, response: dict[str, Any]) -> None:
        if httpx.codes.is_success(_status(response)):
            self._summary.stored[part.type] += 1
            return
        self._summary.refused[part.type] += 1
        if len(self._summary.reasons) < _SHOWN_REFUSALS:
            reason = _text(msgspec.json.encode(response.get("outcome")))
            self._summary.reasons.append(f"{part.reference}: {response['status']} {reason}")


def _status(response: dict[str, Any]) -> int:
    """The code of an entry's status, which may have words behind it."""
    return int(str(response["status"])[:3])


def _next_stage(parts: list[Part]) -> tuple[list[Part], list[Part]]:
    """The parts of the first type, and the rest."""
    stage = [part for part in parts if part.type == parts[0].type]
    return stage, [part for part in parts if part.type != parts[0].type]


def _text(body: bytes) -> str:
    """The first issue of an outcome: its English text and where it points."""
    try:
        issue = msgspec.json.decode(body)["issue"][0]
    except (msgspec.DecodeError, KeyError, IndexError, TypeError):
        return "no OperationOutcome"
    place = next(iter(issue.get("expression", ())), "")
    return f"{issue.get('diagnostics') or issue.get('details', {}).get('text', '')} {place}".strip()
