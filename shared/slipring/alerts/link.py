"""The page behind the link of a message: who are you, what was found, read it back, say what was done.

One small page each, no script, one hand. Looking at the link does nothing (link previews look at links); the first form
that identifies somebody uses it up. Nothing about a patient is shown before that.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from slipring.alerts.receiver import LINK_PATH, Door, Receiver
from slipring.alerts.told import Finding, Told, told
from slipring.department import names
from slipring.department.road import Tree
from slipring.fhir.outcome import FhirError, not_found
from slipring.pages.frame import Endpoint
from slipring.pages.language import language_of, said

_SECRET_LENGTH = 22
_LONGEST = 2000
_SAID_AGAIN = (403, 409, 422)


@dataclass(frozen=True, slots=True)
class LinkPages:
    """`/a/{link}`, and the case that it leads to."""

    door: Door

    def routes(self) -> list[Route]:
        """The pages of a receiver."""
        case = f"{LINK_PATH}/case/{{id}}"
        table: list[tuple[str, Endpoint, list[str]]] = [
            (f"{LINK_PATH}/{{link}}", self.asked, ["GET"]),
            (f"{LINK_PATH}/{{link}}", self.identified, ["POST"]),
            (case, self.shown, ["GET"]),
            (f"{case}/{{finding}}/read-back", self.read_back_asked, ["GET"]),
            (f"{case}/{{finding}}/read-back", self.read_back, ["POST"]),
            (f"{case}/{{finding}}/act", self.act, ["POST"]),
            (f"{case}/{{finding}}/hand-over", self.hand_over, ["POST"]),
        ]
        pages = self.door.place.pages
        return [Route(path, pages.guarded(endpoint), methods=methods) for path, endpoint, methods in table]

    async def asked(self, request: Request) -> Response:
        """Who are you? Looks nothing up, so that it tells nothing and does nothing."""
        _secret(request)
        known = await self.door.signed_in(request)
        return self._page(request, known, "who.html", name="", refused="", left=None)

    async def identified(self, request: Request) -> Response:
        """The first form with a right PIN, or of somebody signed in, uses the link up."""
        secret, known = _secret(request), await self.door.signed_in(request)
        form = await self.door.place.pages.form(request, known.viewer if known else None)
        if not await self._is_one(secret):
            return self._page(request, known, "spent.html", status=410)
        if known is None or not form.get("as_signed_in"):
            name = form.get("name", "")
            account, left = await self.door.proved(name, form.get("pin", ""), secret)
            if account is None:
                return await self._not_proved(request, known, secret, name, left)
            receiver, by_pin = await self.door.by_pin(account), True
        else:
            receiver, by_pin = known, False
        try:
            case = await receiver.hand.called("Task/$open-link", [{"name": "link", "valueString": secret}])
        except FhirError as refused:
            if refused.status not in _SAID_AGAIN:
                raise
            return self._page(request, receiver, "refused.html", status=refused.status, says=_words(refused, request))
        case_id = str(_returned(case)["id"])
        response = RedirectResponse(f"{LINK_PATH}/case/{case_id}", 303)
        return self.door.let_in(request, response, receiver.account, case_id) if by_pin else response

    async def shown(self, request: Request) -> Response:
        """Whom it is about and what was found."""
        receiver, case = await self._receiver(request)
        found = await told(receiver.hand, case)
        return self._page(request, receiver, "told.html", found=found, case=case, me=receiver.account.practitioner)

    async def read_back_asked(self, request: Request) -> Response:
        """Say it back: the number's tail, and the finding out of five. What must be said is not on this page."""
        receiver, case = await self._receiver(request)
        found, finding = await self._finding(request, receiver, case)
        return self._read_back(request, receiver, case, found, finding)

    async def read_back(self, request: Request) -> Response:
        """`Task/[id]/$acknowledge`; what does not fit keeps it ringing."""
        receiver, case = await self._receiver(request)
        form = await self.door.place.pages.form(request, receiver.viewer)
        found, finding = await self._finding(request, receiver, case)
        call: list[Tree] = [
            {"name": "patientCheck", "valueString": form.get("tail", "").strip()[:_LONGEST] or "-"},
            {"name": "finding", "valueCode": form.get("choice", "").strip()[:64] or "none"},
            {"name": "medium", "valueCode": "page"},
        ]
        try:
            await receiver.hand.called(f"Task/{finding.case}/$acknowledge", call)
        except FhirError as refused:
            if refused.status not in _SAID_AGAIN:
                raise
            found = await told(receiver.hand, case)
            now = found.of(finding.case) or finding
            return self._read_back(request, receiver, case, found, now, refused=refused)
        return RedirectResponse(f"{LINK_PATH}/case/{case}", 303)

    async def act(self, request: Request) -> Response:
        """`Task/[id]/$act`: what was done, and the case closes."""
        receiver, case = await self._receiver(request)
        form = await self.door.place.pages.form(request, receiver.viewer)
        _, finding = await self._finding(request, receiver, case)
        action = form.get("text", "").strip()[:_LONGEST]
        call: list[Tree] = [{"name": "action", "valueCodeableConcept": {"text": action} if action else {}}]
        call += [{"name": "unneeded", "valueBoolean": True}] if form.get("unneeded") else []
        return await self._done(request, receiver, case, f"Task/{finding.case}/$act", call)

    async def hand_over(self, request: Request) -> Response:
        """Take an offered case on, or do not."""
        receiver, case = await self._receiver(request)
        form = await self.door.place.pages.form(request, receiver.viewer)
        _, finding = await self._finding(request, receiver, case)
        what = "$accept" if form.get("answer") == "accept" else "$decline"
        return await self._done(request, receiver, case, f"Task/{finding.case}/{what}", [])

    async def _done(self, request: Request, receiver: Receiver, case: str, target: str, call: list[Tree]) -> Response:
        try:
            await receiver.hand.called(target, call)
        except FhirError as refused:
            if refused.status not in (400, *_SAID_AGAIN):
                raise
            return self._page(request, receiver, "refused.html", status=refused.status, says=_words(refused, request))
        return RedirectResponse(f"{LINK_PATH}/case/{case}", 303)

    async def _receiver(self, request: Request) -> tuple[Receiver, str]:
        case = str(request.path_params["id"])
        if not names.ID.fullmatch(case):
            raise not_found("Task")
        return await self.door.of_case(request, case), case

    async def _finding(self, request: Request, receiver: Receiver, case: str) -> tuple[Told, Finding]:
        """One finding of the exam that the link led to; of no other exam."""
        found = await told(receiver.hand, case)
        finding = found.of(str(request.path_params["finding"]))
        if finding is None:
            raise not_found("Task")
        return found, finding

    async def _is_one(self, secret: str) -> bool:
        """Whether a link is one: PINs are looked at behind a real link only, so that nobody can try them elsewhere."""
        hand = await self.door.own_hand()
        try:
            await hand.called("Task/$is-link", [{"name": "link", "valueString": secret}])
        except FhirError as refused:
            if refused.status in (404, 409):
                return False
            raise
        return True

    async def _not_proved(
        self, request: Request, known: Receiver | None, secret: str, name: str, left: int
    ) -> Response:
        if left > 0:
            return self._page(request, known, "who.html", status=401, name=name, refused="pin", left=left)
        hand = await self.door.own_hand()
        try:
            await hand.called("Task/$end-link", [{"name": "link", "valueString": secret}])
        except FhirError as refused:
            if refused.status not in (404, 409):  # ended by the try beside this one
                raise
        return self._page(request, known, "spent.html", status=410)

    def _read_back(
        self, request: Request, receiver: Receiver, case: str, found: Told, finding: Finding, refused: Any = None
    ) -> Response:
        return self._page(
            request, receiver, "read_back.html", status=refused.status if refused else 200, found=found, case=case,
            finding=finding, says=_words(refused, request) if refused else [],
            call=refused is not None and refused.status == 422 and finding.mismatches == 0,
        )  # fmt: skip

    def _page(
        self, request: Request, receiver: Receiver | None, template: str, *, status: int = 200, **values: Any
    ) -> Response:
        viewer = receiver.viewer if receiver else None
        path = request.url.path
        return self.door.place.pages.page(
            request, f"alerts/{template}", viewer=viewer, status=status, path=path, **values
        )


def _secret(request: Request) -> str:
    found = str(request.path_params["link"])
    if len(found) != _SECRET_LENGTH or not found.isascii() or not found.replace("-", "").replace("_", "").isalnum():
        raise not_found("Communication")
    return found


def _returned(answer: Tree) -> Tree:
    """An operation's one answer, by itself or in Parameters."""
    if answer.get("resourceType") == "Task":
        return answer
    return next(one["resource"] for one in answer["parameter"] if one["name"] == "return")


def _words(refused: FhirError, request: Request) -> list[str]:
    return [said((issue.zh, issue.en), language_of(request)) for issue in refused.issues]
