"""The signing key of whoever is signed in: made in his browser, where it stays; its certificate is asked for and decided here."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Sequence
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from slipring.department import names
from slipring.department.place import Place, named_in
from slipring.department.road import Hand, Tree
from slipring.department.staff import people_named
from slipring.fhir.outcome import FhirError
from slipring.fhir.service import CANONICAL
from slipring.identity.people.sessions import Session
from slipring.pages.language import language_of, said
from slipring.reading.workplace import READING, reading_page

_ANSWERS = (400, 409, 412, 422)
_REQUEST, _CERTIFICATE = "certificate-request", "signing-certificate"
_PARAMETER = f"{CANONICAL}/CodeSystem/certificate-parameter"


@dataclass(frozen=True, slots=True)
class OwnKeyPages:
    """Make a key, ask for its certificate, and decide as the second person on what others ask for."""

    place: Place

    def routes(self) -> list[Route]:
        """`/reading/key`, and `/reading/key/requests/{id}` for the second person."""
        one = f"{READING}/key/requests/{{id}}"
        return self.place.routes(
            [
                (f"{READING}/key", self.shown, ["GET"]),
                (f"{READING}/key", self.asked, ["POST"]),
                (one, self.decided, ["POST"]),
                (one, self.back, ["GET"]),
            ]
        )

    async def shown(self, request: Request, session: Session) -> Response:
        """How the key of this browser stands (its script alone knows it), and what was asked for."""
        return await self._page(request, session, await self.place.hand(session))

    async def back(self, request: Request, session: Session) -> Response:
        """Where a decision was refused and somebody comes back, by the language switch say."""
        return RedirectResponse(f"{READING}/key", 303)

    async def asked(self, request: Request, session: Session) -> Response:
        """A Task `certificate-request` with what the browser made."""
        form, hand = await self.place.posted(request, session), await self.place.hand(session)
        try:
            await hand.made(_as_request(form.get("csr", "").replace("\r\n", "\n"), session.account.practitioner))
        except FhirError as refused:
            return await self._refused(request, session, hand, refused)
        return RedirectResponse(f"{READING}/key", 303)

    async def decided(self, request: Request, session: Session) -> Response:
        """`Task/[id]/$decide-certificate`, by another person than who asked."""
        form, hand = await self.place.posted(request, session), await self.place.hand(session)
        call: list[Tree] = [{"name": "decision", "valueCode": form.get("decision", "")}]
        if why := form.get("reason", "").strip():
            call.append({"name": "reason", "valueString": why})
        try:
            await hand.called(f"Task/{named_in(request, 'Task')}/$decide-certificate", call)
        except FhirError as refused:
            return await self._refused(request, session, hand, refused)
        return RedirectResponse(f"{READING}/key", 303)

    async def _refused(self, request: Request, session: Session, hand: Hand, refused: FhirError) -> Response:
        if refused.status not in _ANSWERS:
            raise refused
        language = language_of(request)
        words = [said((issue.zh, issue.en), language) for issue in refused.issues]
        return await self._page(request, session, hand, refused=words, status=refused.status)

    async def _page(
        self, request: Request, session: Session, hand: Hand, *, refused: Sequence[str] = (), status: int = 200
    ) -> Response:
        me = session.account.practitioner
        tasks, chains = await asyncio.gather(
            hand.if_allowed("Task", [("code", _REQUEST), ("status", "requested"), ("_sort", "authored-on")]),
            chains_of(hand, me),
        )
        people = await people_named(hand, [names.reference_in(one.get("for")) for one in tasks or []])
        told = [
            (one, people.get(names.reference_in(one.get("for"))), names.moment(one.get("authoredOn")))
            for one in tasks or []
        ]
        return reading_page(
            self.place,
            request,
            session,
            "key.html",
            status=status,
            who=me,
            names=names,
            chains=chains,
            waits=any(names.reference_in(task.get("for")) == me for task, _, _ in told),
            others=[each for each in told if names.reference_in(each[0].get("for")) != me],
            refused=refused,
        )


async def chains_of(hand: Hand, person: str) -> list[str]:
    """The chains of a person's certificates that are in force, the newest first (PEM)."""
    asked = [("subject", person), ("type", _CERTIFICATE), ("status", "current"), ("_sort", "-date")]
    found = await hand.if_allowed("DocumentReference", asked)
    return [base64.b64decode(one["content"][0]["attachment"].get("data", "")).decode("ascii") for one in found or []]


def _as_request(csr: str, person: str) -> Tree:
    code = {"system": f"{CANONICAL}/CodeSystem/task-code", "code": _REQUEST}
    return {
        "resourceType": "Task",
        "status": "requested",
        "intent": "order",
        "code": {"coding": [code]},
        "for": {"reference": person},
        "input": [{"type": {"coding": [{"system": _PARAMETER, "code": "csr"}]}, "valueString": csr}],
    }
