"""Who has the case of a report in hand: told in the editor, kept while somebody works, and said at once when it was lost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from slipring.department import names
from slipring.department.place import Place, may, named_in
from slipring.department.road import Hand, Tree
from slipring.department.staff import people_named
from slipring.fhir.outcome import FhirError, not_found
from slipring.identity.people.sessions import Session
from slipring.reading.workplace import READING, reading_page

_LEASE = "lease-until"
_KEPT_FROM = timedelta(minutes=15)  # of what is left of a claim: until then it is not written anew
_LOST = (404, 409, 412)


@dataclass(frozen=True, slots=True)
class Holding:
    """One reading and who has it; `lost`: who asked had it, and has it no more."""

    task: Tree
    person: Tree | None = None
    mine: bool = False
    lost: bool = False

    @property
    def id(self) -> str:
        """The reading's Task."""
        return str(self.task["id"])

    @property
    def holder(self) -> str:
        """Who has it, or ''."""
        return names.reference_in(self.task.get("owner"))

    @property
    def name(self) -> str:
        """That person's name."""
        return names.person(self.person)

    @property
    def until(self) -> datetime | None:
        """When the claim ends unless it is renewed."""
        inputs: Sequence[dict[str, Any]] = self.task.get("input", [])
        told = (one.get("valueInstant") for one in inputs if _LEASE in names.codes(one.get("type")))
        return names.moment(next(told, "") or "")

    @property
    def free(self) -> bool:
        """Whether anybody may take it in hand."""
        return not self.holder and names.code_in(self.task.get("businessStatus"), "reading-state") == "unread"


@dataclass(frozen=True, slots=True)
class HoldingPage:
    """What an open editor asks again and again."""

    place: Place

    def routes(self) -> list[Route]:
        """`/reading/cases/{id}/held`."""
        return self.place.routes([(f"{READING}/cases/{{id}}/held", self.asked, ["POST"])])

    async def asked(self, request: Request, session: Session) -> Response:
        """Who has the case now, as a line of the editor; with `working`, it is kept for whoever has it and asks (`$renew`)."""
        form, hand = await self.place.posted(request, session), await self.place.hand(session)
        case, me = named_in(request, "Task"), session.account.practitioner
        task = await hand.read(f"Task/{case}")
        if form.get("working") and _ending(await holding(hand, task, me), self.place.now()):
            try:
                await hand.called(f"Task/{case}/$renew", [])
            except FhirError as refused:
                if refused.status not in _LOST:
                    raise
            task = await hand.read(f"Task/{case}")
        if names.code_in(task.get("code"), "task-code") != "reading":
            raise not_found("Task")
        held = await holding(hand, task, me, had=bool(form.get("had")))
        return reading_page(self.place, request, session, "held.html", held=held, may_claim=may_claim(session))


async def holding_of(hand: Hand, request_id: str, me: str) -> Holding | None:
    """Who has the case of an exam; None where there is none, or the person's roles do not open it."""
    asked = [("code", "reading"), ("focus", f"ServiceRequest/{request_id}")]
    tasks = await hand.if_allowed("Task", asked)
    return await holding(hand, tasks[0], me) if tasks else None


async def holding(hand: Hand, task: Tree, me: str, *, had: bool = False) -> Holding:
    """A reading with who has it."""
    holder = names.reference_in(task.get("owner"))
    people = await people_named(hand, [holder] if holder and holder != me else [])
    mine = bool(me) and holder == me
    return Holding(task, people.get(holder), mine, had and not mine)


def may_claim(session: Session) -> bool:
    """Whether a person's roles let him take cases in hand."""
    return may(session, "Task", "u") and may(session, "DiagnosticReport", "c")


def _ending(held: Holding, now: datetime) -> bool:
    """Whether it is his who asks, and not for much longer."""
    return held.mine and (held.until is None or held.until - now < _KEPT_FROM)
