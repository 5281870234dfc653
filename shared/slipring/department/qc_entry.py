"""The form of a round of tests: what was measured on a scanner, test by test; it posts to the same operation as everybody."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from decimal import Decimal, InvalidOperation

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from slipring.department import names
from slipring.department.bookings import Scanner
from slipring.department.place import Place, Words, named_in, wrong
from slipring.department.qc_reading import ADDRESS, Round, Test, programme_of
from slipring.department.road import Hand, Tree
from slipring.fhir.outcome import FhirError, not_found
from slipring.identity.people.sessions import Session

KINDS = ("constancy", "status", "acceptance")
_UNITS = {"HU": "[hnsf'U]", "lp/cm": "/cm"}  # as they are read, and as UCUM writes them
_UCUM = "http://unitsofmeasure.org"
_NOMINAL = "slice-thickness"
_LONGEST = 500


@dataclass(frozen=True, slots=True)
class QcEntryPage:
    """`/department/qc/scanners/{id}/enter`; `?round=` completes one measured from images, `?repeats=` repeats one."""

    place: Place

    def routes(self) -> list[Route]:
        """The form."""
        at = f"{ADDRESS}/scanners/{{id}}/enter"
        return self.place.routes([(at, self.shown, ["GET"]), (at, self.entered, ["POST"])])

    async def shown(self, request: Request, session: Session) -> Response:
        """The empty form."""
        asked = {name: request.query_params.get(name, "") for name in ("round", "repeats")}
        return await self._page(request, session, await self.place.hand(session), asked, {})

    async def entered(self, request: Request, session: Session) -> Response:
        """`Device/[id]/$enter-qc`."""
        form, hand = await self.place.posted(request, session), await self.place.hand(session)
        beside = _unreadable(form)
        if beside:
            return await self._page(request, session, hand, form, beside, status=422)
        given, fields = self._given(form)
        try:
            said = await hand.called(f"Device/{named_in(request, 'Device')}/$enter-qc", given)
        except FhirError as refused:
            beside = wrong(refused, request, given, fields)
            return await self._page(request, session, hand, form, beside, status=refused.status)
        made = next(one["resource"] for one in said["parameter"] if one["name"] == "return")
        return RedirectResponse(Round(made).address, 303)

    def _given(self, form: Mapping[str, str]) -> tuple[list[Tree], dict[str, str]]:
        given: list[Tree] = []
        if not form.get("round"):
            given.append({"name": "kind", "valueCode": form.get("kind", "")})
            if said := form.get("at", "").strip():
                given.append({"name": "at", "valueDateTime": _moment(said, self.place.zone)})
        given += [
            {"name": name, "valueReference": {"reference": f"Task/{form[name]}"}}
            for name in ("round", "repeats")
            if names.ID.fullmatch(form.get(name, ""))
        ]
        if note := form.get("note", "").strip()[:_LONGEST]:
            given.append({"name": "note", "valueString": note})
        for name in form:
            test = name.removeprefix("value.")
            if test != name and (form[name].strip() or form.get(f"absent.{test}")):
                given.append({"name": "value", "part": _value(form, test)})
        return given, {"kind": "kind", "at": "at", "note": "note"}

    async def _page(
        self,
        request: Request,
        session: Session,
        hand: Hand,
        form: Mapping[str, str],
        beside: Words,
        *,
        status: int = 200,
    ) -> Response:
        scanner = Scanner(await hand.read(f"Device/{named_in(request, 'Device')}"))
        programme = await programme_of(hand, scanner)
        if programme is None:
            raise not_found("Device")
        other = {name: await _round(hand, form.get(name, "")) for name in ("round", "repeats")}
        return self.place.page(
            request, session, "qc_entry.html", status=status, scanner=scanner, tests=_by_hand_first(programme.tests),
            form=form, beside=beside, kinds=KINDS, other=other, nominal=_NOMINAL, address=ADDRESS,
            today=self.place.now().astimezone(self.place.zone).strftime("%Y-%m-%dT%H:%M"),
        )  # fmt: skip


async def _round(hand: Hand, id: str) -> Round | None:
    return Round(await hand.read(f"Task/{id}")) if names.ID.fullmatch(id) else None


def _by_hand_first(tests: Sequence[Test]) -> list[Test]:
    """What is due first comes first; the order of the rest stays."""
    urgent = ("failed", "overdue", "missing", "due")
    return sorted(tests, key=lambda one: one.state not in urgent)


def _value(form: Mapping[str, str], test: str) -> list[Tree]:
    unit = form.get(f"unit.{test}", "")
    coded = {"system": _UCUM, "code": _UNITS.get(unit, unit)}
    parts: list[Tree] = [{"name": "test", "valueCode": test}]
    if form.get(f"absent.{test}"):
        return [*parts, {"name": "notApplicable", "valueBoolean": True}]
    parts.append({"name": "quantity", "valueQuantity": {"value": Decimal(form[f"value.{test}"].strip()), **coded}})
    if nominal := form.get(f"nominal.{test}", "").strip():
        parts.append({"name": "nominal", "valueQuantity": {"value": Decimal(nominal), **coded}})
    return parts


def _unreadable(form: Mapping[str, str]) -> Words:
    """Fields that hold no number, and one value too many for a test that is said not to apply."""
    found: Words = {}
    for name, text in form.items():
        test = name.partition(".")[2]
        if name.startswith(("value.", "nominal.")) and text.strip():
            if not _number(text):
                found[name] = "number"
            elif form.get(f"absent.{test}"):
                found[name] = "absent"
    return found


def _number(text: str) -> bool:
    try:
        return Decimal(text.strip()).is_finite()
    except InvalidOperation:
        return False


def _moment(text: str, zone: tzinfo) -> str:
    """What was typed as a time in the department; what is none is sent as it is, and refused like anybody's."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return text
    return (found if found.tzinfo else found.replace(tzinfo=zone)).isoformat()
