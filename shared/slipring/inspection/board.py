"""How each clause stands: one row for each, what is missing, and the records behind it one click away; on paper, too."""

from __future__ import annotations

import asyncio
import json
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from slipring.client.clauses import RowTold, rows_in
from slipring.client.wire import value_of
from slipring.department import names
from slipring.department.place import Place, Words, may, wrong
from slipring.department.road import Tree
from slipring.fhir.outcome import FhirError, not_found
from slipring.identity.people.sessions import Session
from slipring.inspection.kept import kept_board
from slipring.inspection.samples import SAMPLES
from slipring.inspection.told import VERDICTS
from slipring.pages.headers import page_headers
from slipring.printing.pdf import NoPrinter, pdf_of
from slipring.verdicts.period import Period, quarter_of, read_period

BOARD = "/clauses"
_COUNT = re.compile(r"[0-9]{1,4}")
_QUARTERS = 5  # that the page offers, the current one first
# A document of its own: its style is inside it, and nothing runs.
_SEALED_OFF = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; sandbox"


@dataclass(frozen=True, slots=True)
class Board:
    """What was answered: the period, the moment, the rows, and how many stand in which way."""

    period: Period
    at: datetime | None
    rows: Sequence[RowTold]

    @property
    def counts(self) -> Counter[str]:
        """How many rows have each verdict."""
        return Counter(row.verdict for row in self.rows)


@dataclass(frozen=True, slots=True)
class ClausePages:
    """`/clauses`, the report, and a record as it is stored."""

    place: Place

    def routes(self) -> list[Route]:
        """The board, what keeps it, the paper, the evidence."""
        return self.place.routes(
            [
                (BOARD, self.shown, ["GET"]),
                (f"{BOARD}/keep", self.keep, ["POST"]),
                (f"{BOARD}/report", self.report, ["GET"]),
                (f"{BOARD}/records/{{type}}/{{id}}", self.record, ["GET"]),
            ]
        )

    async def shown(self, request: Request, session: Session) -> Response:
        """`Measure/$clause-check` over a period; `show` narrows it to one verdict. Who may run none is shown what was kept."""
        period, show = self._asked(request), request.query_params.get("show", "")
        beside, board = Words(), None
        given = _parameters(period)
        try:
            board = await self._board(session, given)
        except FhirError as refused:
            kept_only = await kept_board(await self.place.hand(session), period) if refused.status == 403 else None
            if kept_only is not None:
                return self.place.page(
                    request, session, "inspection/kept.html", board=kept_only, period=period, periods=self.offered(),
                    board_at=BOARD, verdicts=VERDICTS, samples_at=SAMPLES,
                )  # fmt: skip
            beside = wrong(refused, request, given, {})
        show = show if show in VERDICTS else ""
        kept = request.query_params.get("kept", "")
        return self.place.page(
            request, session, "inspection/board.html", status=200 if board else 422, board=board, period=period,
            periods=self.offered(), show=show, beside=beside, board_at=BOARD, verdicts=VERDICTS,
            may_keep=may(session, "MeasureReport", "c"), kept=int(kept) if _COUNT.fullmatch(kept) else None,
            samples_at=SAMPLES,
        )  # fmt: skip

    async def keep(self, request: Request, session: Session) -> Response:
        """`Measure/$clause-record`: each verdict that stands otherwise than it was kept is kept now, and subscribers are told."""
        form = await self.place.posted(request, session)
        try:
            period = read_period(form.get("period", ""))
        except ValueError:
            raise not_found("Measure") from None
        answer = await (await self.place.hand(session)).called("Measure/$clause-record", _parameters(period))
        return RedirectResponse(f"{BOARD}?period={period}&kept={value_of(answer, 'recorded')}", 303)

    async def report(self, request: Request, session: Session) -> Response:
        """The same as a report of an inspection, to be printed and signed; with `as=pdf`, a PDF."""
        board = await self._board(session, _parameters(self._asked(request)))
        page = self.place.page(
            request, session, "inspection/report.html", board=board, verdicts=VERDICTS, by=session.account.name
        )
        headers = page_headers(secure=self.place.pages.secure(request))
        headers["Content-Security-Policy"] = _SEALED_OFF
        if request.query_params.get("as") != "pdf":
            return Response(page.body, media_type="text/html; charset=utf-8", headers=headers)
        try:
            made = await asyncio.to_thread(pdf_of, bytes(page.body).decode())
        except NoPrinter:  # the browser prints the page
            return Response(page.body, media_type="text/html; charset=utf-8", headers=headers)
        headers["Content-Disposition"] = f'inline; filename="clauses-{board.period.first}-{board.period.last}.pdf"'
        return Response(made, media_type="application/pdf", headers=headers)

    async def record(self, request: Request, session: Session) -> Response:
        """A record behind a verdict, as it is stored, with what its versions are."""
        kind, name = str(request.path_params["type"]), str(request.path_params["id"])
        if not (kind.isalpha() and kind[0].isupper() and names.ID.fullmatch(name)):
            raise not_found("Resource")
        found = await (await self.place.hand(session)).read(f"{kind}/{name}")
        text = json.dumps(found, ensure_ascii=False, indent=2, default=str)
        return self.place.page(
            request, session, "inspection/record.html", name=f"{kind}/{name}", text=text, board_at=BOARD,
            version=found.get("meta", {}).get("versionId", ""),
        )  # fmt: skip

    async def _board(self, session: Session, given: Sequence[Tree]) -> Board:
        answer = await (await self.place.hand(session)).called("Measure/$clause-check", given)
        days = [date.fromisoformat(str(value_of(answer, name))) for name in ("periodStart", "periodEnd")]
        return Board(Period(*days), names.moment(str(value_of(answer, "at"))), rows_in(answer))

    def _asked(self, request: Request) -> Period:
        text = request.query_params.get("period", "")
        try:
            return read_period(text)
        except ValueError:
            return quarter_of(self._today())

    def offered(self) -> list[tuple[str, Period]]:
        """The last quarters and the year, as a period is written."""
        found, day = [], self._today()
        for _ in range(_QUARTERS):
            one = quarter_of(day)
            found.append((f"{one.first.year}-Q{(one.first.month + 2) // 3}", one))
            day = one.first - timedelta(days=1)
        return [*found, (str(self._today().year), read_period(str(self._today().year)))]

    def _today(self) -> date:
        return self.place.now().astimezone(self.place.zone).date()


def _parameters(period: Period) -> list[Any]:
    return [
        {"name": "periodStart", "valueDate": period.first.isoformat()},
        {"name": "periodEnd", "valueDate": period.last.isoformat()},
    ]
