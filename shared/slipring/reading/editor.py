"""The editor: one report of an exam, saved as a draft by the transaction that every client sends, flagged at any moment."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from slipring.department import names
from slipring.department.place import Place, Words, may, named_in
from slipring.department.road import Hand, Tree
from slipring.department.told import told
from slipring.fhir.outcome import FhirError, conflict, unprocessable
from slipring.fhir.service import CANONICAL
from slipring.identity.people.sessions import Session
from slipring.pages.language import language_of, said
from slipring.reading.beside import flags_of, priors_of, studies_of
from slipring.reading.checks import Hint, hints_for
from slipring.reading.draft import CONCLUSION, Met, Typed, begun, changed, field_of, mark, met, words_in
from slipring.reading.flags import Finding, findings_in_force
from slipring.reading.holding import Holding, holding_of, may_claim
from slipring.reading.images import Images, images_of
from slipring.reading.one_report import OneReport, of_exam, of_report
from slipring.reading.result import RESULT
from slipring.reading.workplace import READING, reading_page

_UNPROVED, _CONFLICT, _MET = 401, 409, 412
_NEXT = {"preview": "/preview", "sign": "/sign"}


@dataclass(frozen=True, slots=True)
class EditorPages:
    """The editor of a report, and of an exam that has none yet."""

    place: Place

    def routes(self) -> list[Route]:
        """`/reading/exams/{id}` and `/reading/reports/{id}`."""
        exam, report = f"{READING}/exams/{{id}}", f"{READING}/reports/{{id}}"
        return self.place.routes(
            [
                (exam, self.shown, ["GET"]),
                (exam, self.written, ["POST"]),
                (report, self.shown, ["GET"]),
                (report, self.written, ["POST"]),
            ]
        )

    async def shown(self, request: Request, session: Session) -> Response:
        """The report as it is kept; an exam whose report is begun leads there."""
        hand = await self.place.hand(session)
        one = await self._one(request, hand)
        if one.report and "/exams/" in request.url.path:
            return RedirectResponse(_address(one), 303)
        return await self._page(request, session, hand, one)

    async def written(self, request: Request, session: Session) -> Response:
        """Save what was typed, and go on to where the pressed button leads."""
        form, hand = await self.place.posted(request, session), await self.place.hand(session)
        one, typed, act = await self._one(request, hand), Typed.of(form), form.get("act", "save")
        try:
            if act == "flag":
                return await self._flagged(request, session, hand, one, typed, form)
            report = await self._saved(hand, session, one, typed)
        except FhirError as refused:
            if refused.status == _UNPROVED:
                raise
            return await self._refused(request, session, hand, typed, form, refused)
        if not report:
            return RedirectResponse(request.url.path, 303)
        return RedirectResponse(f"{READING}/reports/{report}{_NEXT.get(act, '')}", 303)

    async def _saved(self, hand: Hand, session: Session, one: OneReport, typed: Typed) -> str:
        """Save where anything changed; the report's id, '' while there is none."""
        author, now = session.account.practitioner, self.place.now()
        if one.report is None:
            if typed.empty:
                return ""
            report, fresh = await self._begun(hand, one, typed, author)
            if not fresh:
                raise _begun_meanwhile()
            return report
        if not typed.report_version:  # the form was made when nobody had begun
            raise _begun_meanwhile()
        if typed.differs(words_in(one.report, one.text)):
            await hand.together(changed(one.report, one.text, typed, author, now))
        return str(one.report["id"])

    async def _begun(self, hand: Hand, one: OneReport, typed: Typed, author: str) -> tuple[str, bool]:
        """The id of the report that is begun with what was typed, and whether it is that; else another's was first."""
        answer = await hand.together(
            begun(one.exam.request, await studies_of(hand, one), typed, author, self.place.now())
        )
        first: Tree = answer["entry"][0]["response"]
        report = str(first["location"]).partition("DiagnosticReport/")[2].partition("/")[0]
        return report, str(first["status"]).startswith("201")

    async def _flagged(
        self, request: Request, session: Session, hand: Hand, one: OneReport, typed: Typed, form: Mapping[str, str]
    ) -> Response:
        """`$flag-critical`, which waits for nothing: the report is begun for it where there is none; the typed text stays."""
        if not form.get("finding"):
            raise _no_finding()
        report, saved = str((one.report or {}).get("id", "")), False
        if not report:
            report, saved = await self._begun(hand, one, typed, session.account.practitioner)
        finding = {"system": f"{CANONICAL}/CodeSystem/critical-finding", "code": form.get("finding", "")}
        call: list[Tree] = [
            {"name": "finding", "valueCoding": finding},
            *([{"name": "level", "valueCode": form["level"]}] if form.get("level") else []),
            *([{"name": "note", "valueString": words}] if (words := form.get("note", "").strip()) else []),
            *({"name": name, "valueBoolean": True} for name in ("unchanged", "ring") if form.get(name)),
        ]
        await hand.called(f"DiagnosticReport/{report}/$flag-critical", call)
        if saved or not typed.differs(words_in(one.report, one.text)):
            return RedirectResponse(f"{READING}/reports/{report}#flags", 303)
        return await self._page(request, session, hand, await of_report(hand, report), typed=typed)

    async def _refused(
        self, request: Request, session: Session, hand: Hand, typed: Typed, form: Mapping[str, str], refused: FhirError
    ) -> Response:
        """The editor again with all that was typed: beside what somebody else saved, or below what was refused."""
        one, language = await self._one(request, hand), language_of(request)
        if refused.status in (_CONFLICT, _MET) and _moved(one, typed):
            both = met(typed, words_in(one.report, one.text), one.versions)
            return await self._page(request, session, hand, one, typed=both.typed, both=both, status=refused.status)
        beside: Words = {}
        for issue in refused.issues:
            where = next((name for name in ("finding", "level", "note") if f"'{name}'" in issue.at), "")
            if "conclusionCode" in issue.at:
                where = f"s.{RESULT}"
            elif not where and one.report is not None:
                papers = changed(one.report, one.text, typed, session.account.practitioner, self.place.now())
                where = f"s.{field}" if (field := field_of(issue.at, papers)) else ""
            beside[where] = " ".join(
                [*([beside[where]] if where in beside else []), said((issue.zh, issue.en), language)]
            )
        return await self._page(
            request, session, hand, one, typed=typed, form=form, beside=beside, status=refused.status
        )

    async def _one(self, request: Request, hand: Hand) -> OneReport:
        if "/exams/" in request.url.path:
            return await of_exam(hand, named_in(request, "ServiceRequest"))
        return await of_report(hand, named_in(request, "DiagnosticReport"))

    async def _page(
        self, request: Request, session: Session, hand: Hand, one: OneReport, *, typed: Typed | None = None, both: Met | None = None,
        form: Mapping[str, str] | None = None, beside: Words | None = None, status: int = 200,
    ) -> Response:  # fmt: skip
        kept = words_in(one.report, one.text)
        typed = typed or Typed(kept, *one.versions, {name: mark(words) for name, words in kept.items()})
        may_write = one.open and may(session, "DiagnosticReport", "u") and may(session, "Composition", "u")
        (held, images), flags, (hints, findings), second_read = await asyncio.gather(
            _held(hand, one, session.account.practitioner),
            flags_of(hand, one),
            _beside_the_words(hand, one, typed) if may_write else _nothing(),
            _second_read(hand, one),
        )
        values: dict[str, Any] = {
            "one": one,
            "held": held,
            "may_claim": may_claim(session),
            "images": images,
            "flags": flags,
            "names": names,
            "exam": one.exam,
            "told": told(one.exam.request),
            "typed": typed,
            "dirty": typed.differs(kept),
            "both": both,
            "form": form or {},
            "beside": beside or {},
            "CONCLUSION": CONCLUSION,
            "RESULT": RESULT,
            "hints": hints,
            "findings": findings,
            "may_discuss": may(session, "Task", "u"),
            "second_read": second_read,
            "may_change": may(session, "DiagnosticReport", "u"),
            "may_write": may_write,
        }
        return reading_page(self.place, request, session, "editor.html", locks_itself=True, status=status, **values)


async def _held(hand: Hand, one: OneReport, me: str) -> tuple[Holding | None, Images]:
    """Who has the case in hand, and its images."""
    held, priors = await asyncio.gather(holding_of(hand, one.exam.id, me), priors_of(hand, one))
    return held, await images_of(hand, held.id if held else "", priors)


async def _beside_the_words(hand: Hand, one: OneReport, typed: Typed) -> tuple[list[Hint] | None, list[Finding]]:
    """What the checks say of the words, and the findings that can be flagged from them."""
    asked = hints_for(hand, str((one.report or {}).get("id", "")), one.exam.id, typed.words)
    hints, findings = await asyncio.gather(asked, findings_in_force(hand))
    return hints, findings


async def _nothing() -> tuple[list[Hint] | None, list[Finding]]:
    """Beside a report that is read only."""
    return [], []


async def _second_read(hand: Hand, one: OneReport) -> str:
    """The id of the second read that an emergency release waits for, or ''."""
    if not one.emergency:
        return ""
    asked = [("focus", one.reference), ("code", "second-read"), ("status", "requested,in-progress")]
    return next((str(task["id"]) for task in await hand.if_allowed("Task", asked) or []), "")


def _moved(one: OneReport, typed: Typed) -> bool:
    """Whether report or text is another version by now than the form was made from."""
    return one.report is not None and one.versions != (typed.report_version, typed.text_version)


def _begun_meanwhile() -> FhirError:
    return conflict(
        "Somebody else began this report while you typed.",
        "在您填写期间，已有他人开始书写该报告。",
        detail="reading.begun-meanwhile",
    )


def _no_finding() -> FhirError:
    return unprocessable(
        "Choose the finding.",
        "请选择危急值项目。",
        at="Parameters.parameter.where(name='finding')",
        detail="reading.no-finding",
    )


def _address(one: OneReport) -> str:
    return f"{READING}/reports/{(one.report or {})['id']}"
