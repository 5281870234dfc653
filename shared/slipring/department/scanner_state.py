"""A scanner is taken out of service, or brought back, with a reason: a change of its Device, from the version that was seen."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from slipring.department.bookings import STATE, Scanner
from slipring.department.place import HOME, Place, named_in, wrong
from slipring.department.road import Tree
from slipring.department.seen import changed_meanwhile
from slipring.fhir.outcome import FhirError
from slipring.identity.people.sessions import Session

STATES = ("in-service", "out-of-service")
_LONGEST = 500
_CHANGED = (409, 412)


@dataclass(frozen=True, slots=True)
class ScannerStatePages:
    """The form of one scanner's service state."""

    place: Place

    def routes(self) -> list[Route]:
        """`/department/scanners/{id}`."""
        one = f"{HOME}/scanners/{{id}}"
        return self.place.routes([(one, self.shown, ["GET"]), (one, self.change, ["POST"])])

    async def shown(self, request: Request, session: Session) -> Response:
        """How it stands, and the form."""
        return await self._page(request, session, "", {})

    async def change(self, request: Request, session: Session) -> Response:
        """PATCH of the Device; a change in between is told and nothing is written, unless it stands as wanted already."""
        form = await self.place.posted(request, session)
        reason, state = form.get("reason", "").strip()[:_LONGEST], form.get("state", "")
        hand = await self.place.hand(session)
        device = await hand.read(f"Device/{named_in(request, 'Device')}")
        if state not in STATES or not reason:
            return await self._page(request, session, reason, {"reason": "needed"}, status=422)
        if state == "in-service" and not Scanner(device).in_use:
            return await self._page(request, session, "", {}, status=422)
        try:
            if form.get("seen") != str(device["meta"]["versionId"]):
                raise changed_meanwhile()
            author = {"reference": session.account.practitioner}
            await hand.patched(device, patch_of(device, state, reason, author, self.place.now().isoformat()))
        except FhirError as refused:
            beside = wrong(refused, request, [], {})
            if refused.status not in _CHANGED:
                return await self._page(request, session, reason, beside, status=refused.status)
            stands = Scanner(await hand.read(f"Device/{device['id']}"))
            if stands.in_service != (state == "in-service"):
                return await self._page(request, session, "", beside, status=refused.status)
        return RedirectResponse(f"{HOME}/day", 303)

    async def _page(
        self, request: Request, session: Session, reason: str, beside: dict[str, str], *, status: int = 200
    ) -> Response:
        hand = await self.place.hand(session)
        scanner = Scanner(await hand.read(f"Device/{named_in(request, 'Device')}"))
        return self.place.page(
            request, session, "scanner_state.html", status=status, scanner=scanner, reason=reason, beside=beside
        )


def patch_of(device: Tree, state: str, reason: str, author: Tree, at: str) -> list[Tree]:
    """The JSON Patch that sets the service state and says why, who and when; earlier notes stay."""
    held = device.get("extension", [])
    place = next((index for index, one in enumerate(held) if one.get("url") == STATE), None)
    stated = {"url": STATE, "valueCode": state}
    patch: list[Tree] = []
    if place is not None:
        patch.append({"op": "replace", "path": f"/extension/{place}", "value": stated})
    else:
        patch.append(
            {"op": "add", "path": "/extension/-" if held else "/extension", "value": stated if held else [stated]}
        )
    note = {"authorReference": author, "time": at, "text": reason}
    patch.append(
        {
            "op": "add",
            "path": "/note/-" if device.get("note") else "/note",
            "value": note if device.get("note") else [note],
        }
    )
    why = [{"text": reason}]
    if state == "out-of-service":
        patch.append({"op": "add", "path": "/statusReason", "value": why})
    elif "statusReason" in device:
        patch.append({"op": "remove", "path": "/statusReason"})
    return patch
