"""The assessor's sample: drawn and kept by who answers for quality, read by an assessor, taken along as one sealed file."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from slipring.client.sample import DRAWING, draw_asked
from slipring.department.place import Place, Words, may, may_search, named_in, wrong
from slipring.fhir.outcome import FhirError, not_found
from slipring.identity.people.sessions import Session
from slipring.inspection.drawing import DocumentKept, documents_kept, gathered, kept, sample_read, samples_in
from slipring.inspection.record_words import EVERY
from slipring.inspection.told_sample import DrawTold, draw_answered
from slipring.pages.language import language_of, said
from slipring.signing.proof import MEDIA_TYPE, ProofRefused, proof_reason
from slipring.verdicts.period import Period, read_period

SAMPLES = "/clauses/samples"
FILE = "assessors-sample.proof"
_SEED_BYTES = 8
_FIELDS = {"seed": "seed", "periodStart": "period", "periodEnd": "period"}


@dataclass(frozen=True, slots=True)
class SamplePages:
    """`/clauses/samples`; `offered`: the periods that the form names."""

    place: Place
    offered: Callable[[], list[tuple[str, Period]]]

    def routes(self) -> list[Route]:
        """The form and what is kept, a sample, a case, the file."""
        one = f"{SAMPLES}/{{id}}"
        return self.place.routes(
            [
                (SAMPLES, self.shown, ["GET"]),
                (SAMPLES, self.keep, ["POST"]),
                (one, self.sample, ["GET"]),
                (f"{one}/cases/{{number:int}}", self.case, ["GET"]),
                (f"{one}/file", self.file, ["GET"]),
            ]
        )

    async def shown(self, request: Request, session: Session) -> Response:
        """What is kept; with `period`, a draw to look at, of which nothing is stored. Without a seed one is made and named."""
        typed = {name: request.query_params.get(name, "").strip() for name in ("period", "seed")}
        if not typed["period"] or not draws(session):
            return await self._page(request, session, typed)
        if not typed["seed"]:
            query = urlencode(typed | {"seed": secrets.token_hex(_SEED_BYTES)})
            return RedirectResponse(f"{SAMPLES}?{query}#draw", 303)
        period = _period(typed["period"])
        if period is None:
            return await self._page(request, session, typed, beside=_no_period(request))
        given = draw_asked(typed["seed"], period, sealed=False)
        try:
            answer = await (await self.place.hand(session)).called(DRAWING, given)
        except FhirError as refused:
            return await self._page(request, session, typed, beside=wrong(refused, request, given, _FIELDS))
        return await self._page(request, session, typed, draw=draw_answered(answer))

    async def keep(self, request: Request, session: Session) -> Response:
        """Draw it again as it was looked at, gather the evidence, keep all of it or nothing."""
        form = await self.place.posted(request, session)
        typed = {name: form.get(name, "").strip() for name in ("period", "seed", "at")}
        period = _period(typed["period"])
        if period is None:
            return await self._page(request, session, typed, beside=_no_period(request))
        hand, given = await self.place.hand(session), draw_asked(typed["seed"], period, typed["at"])
        try:
            drawn = await hand.called(DRAWING, given)
            told = draw_answered(drawn)
            if beside := _not_kept(told, request, known=form.get("short") == "yes"):
                return await self._page(request, session, typed, beside=beside, draw=told)
            name = await kept(hand, await gathered(hand, drawn))
        except FhirError as refused:
            return await self._page(request, session, typed, beside=wrong(refused, request, given, _FIELDS))
        return RedirectResponse(f"{SAMPLES}/{name}?kept=1", 303)

    async def sample(self, request: Request, session: Session) -> Response:
        """Quotas, cases, who signed, the seal, and how anybody checks it."""
        name = named_in(request, "DocumentReference")
        try:
            one = await sample_read(await self.place.hand(session), name)
        except ProofRefused as refused:
            return self._broken(request, session, name, refused)
        return self.place.page(
            request, session, "inspection/sample.html", one=one, draw=one.told, samples_at=SAMPLES, file=FILE,
            just_kept=request.query_params.get("kept") == "1", **EVERY,
        )  # fmt: skip

    async def case(self, request: Request, session: Session) -> Response:
        """One case: what each service has on it."""
        name, number = named_in(request, "DocumentReference"), int(request.path_params["number"])
        try:
            one = await sample_read(await self.place.hand(session), name)
        except ProofRefused as refused:
            return self._broken(request, session, name, refused)
        if not 1 <= number <= len(one.told.cases):
            raise not_found("DocumentReference")
        return self.place.page(
            request, session, "inspection/sample_case.html", one=one, case=one.told.cases[number - 1],
            of=len(one.told.cases), samples_at=SAMPLES, **EVERY,
        )  # fmt: skip

    async def file(self, request: Request, session: Session) -> Response:
        """The whole sample as `slipring verify` takes it."""
        name = named_in(request, "DocumentReference")
        try:
            one = await sample_read(await self.place.hand(session), name)
        except ProofRefused as refused:
            return self._broken(request, session, name, refused)
        headers = {"Content-Disposition": f'attachment; filename="{FILE}"', "Cache-Control": "no-store"}
        return Response(one.file, media_type=MEDIA_TYPE, headers=headers)

    async def _page(
        self,
        request: Request,
        session: Session,
        typed: Words,
        *,
        beside: Words | None = None,
        draw: DrawTold | None = None,
    ) -> Response:
        found: Sequence[DocumentKept] | None = await documents_kept(await self.place.hand(session))
        samples, strays = samples_in(found or [])
        return self.place.page(
            request, session, "inspection/samples.html", status=422 if beside else 200, samples=samples, strays=strays,
            typed=typed, beside=beside or {}, draw=draw, may_draw=draws(session), periods=self.offered(),
            samples_at=SAMPLES, **EVERY,
        )  # fmt: skip

    def _broken(self, request: Request, session: Session, name: str, refused: ProofRefused) -> Response:
        why = proof_reason(refused.code)
        return self.place.page(
            request, session, "inspection/sample_broken.html", status=409, name=name, why=(why.zh, why.en), at_part=refused.at,
            samples_at=SAMPLES,
        )  # fmt: skip


def draws(session: Session) -> bool:
    """Whether a person may draw a sample and keep it."""
    return may_search(session, "Measure", "AuditEvent") and may(session, "DocumentReference", "c")


def _period(text: str) -> Period | None:
    try:
        return read_period(text)
    except ValueError:
        return None


def _no_period(request: Request) -> Words:
    words = ("时段无效，请从列表中选择。", "That is no period: choose one of the list.")
    return {"period": said(words, language_of(request))}


def _not_kept(told: DrawTold, request: Request, *, known: bool) -> Words:
    """Why a draw is not kept as it is: it has no case, or a quota is short and nobody said that he knows."""
    language = language_of(request)
    if not told.cases:
        return {
            "": said(
                ("该时段没有可抽取的病例，未保存。", "The period has no case to draw: nothing was kept."), language
            )
        }
    if known or not told.lacking:
        return {}
    lacking: list[str] = [said(one, language) for one in told.lacking]
    lead = said(("配额未满足，未保存：", "Quotas are not filled, nothing was kept:"), language)
    return {"short": f"{lead} {'; '.join(lacking)}"}
