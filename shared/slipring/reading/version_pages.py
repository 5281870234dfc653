"""The released versions of a report: each readable as it was, and every one that no longer stands says so and leads on."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from slipring.department import names
from slipring.department.exams import exams_of
from slipring.department.place import Place, named_in
from slipring.fhir.outcome import not_found
from slipring.identity.people.sessions import Session
from slipring.reading.previewing import words_in_page
from slipring.reading.versions import releases, withdrawal_of
from slipring.reading.ward import WARD, WARD_LIVE
from slipring.reading.workplace import LIVE, READING, reading_page

_LONGEST = 9  # digits of a version


@dataclass(frozen=True, slots=True)
class VersionPages:
    """One released version, for the department and for the ward."""

    place: Place

    def routes(self) -> list[Route]:
        """`/reading/reports/{id}/versions/{version}` and the same below `/ward`."""
        return self.place.routes(
            [(f"{room}/reports/{{id}}/versions/{{version}}", self.shown, ["GET"]) for room in (READING, WARD)]
        )

    async def shown(self, request: Request, session: Session) -> Response:
        """The version as it was released; what came after it stands above it."""
        hand, report = await self.place.hand(session), named_in(request, "DiagnosticReport")
        wanted = str(request.path_params["version"])
        if not wanted.isdecimal() or not wanted.isascii() or len(wanted) > _LONGEST:
            raise not_found("DiagnosticReport")
        history = await hand.history(f"DiagnosticReport/{report}")
        every = releases(history)
        # A version between two releases said what the release before it said.
        one = next((each for each in every if each.version <= int(wanted)), None)
        if not history or one is None or int(wanted) > int(history[0]["meta"]["versionId"]):
            raise not_found("DiagnosticReport")
        based = [names.reference_in(each) for each in one.report.get("basedOn", [])]
        exams = await exams_of(hand, "focus", [each for each in based if each.startswith("ServiceRequest/")])
        room = WARD if request.url.path.startswith(f"{WARD}/") else READING
        later = [each for each in every if each.version > one.version]
        return reading_page(
            self.place, request, session, "version.html", live=WARD_LIVE if room == WARD else LIVE, room=room,
            report=report, one=one, every=every, newest=every[0], later=later[-1] if later else None,
            withdrawal=withdrawal_of(history[0]), exam=next(iter(exams), None), words=words_in_page(one.report),
        )  # fmt: skip
