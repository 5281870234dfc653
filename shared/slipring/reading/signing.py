"""Signing a report: what is signed and how it reads, what the signer is told, and the signature handed in."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from slipring.department.findings import Found, found_in
from slipring.department.place import Place, may, named_in
from slipring.department.road import Hand, Tree
from slipring.department.worklist import coded
from slipring.fhir.outcome import FhirError, unprocessable
from slipring.fhir.service import CANONICAL
from slipring.identity.people.sessions import Session
from slipring.pages.blocks import Block
from slipring.pages.language import language_of, said
from slipring.reading.checks import Hint, hint, hints_for
from slipring.reading.draft import words_in
from slipring.reading.one_report import OneReport, of_report
from slipring.reading.previewing import words_of
from slipring.reading.workplace import READING, reading_page
from slipring.signing.policy import ROLES, purpose

_NO_MORE = (
    f"{CANONICAL}/StructureDefinition/signature-voided",
    f"{CANONICAL}/StructureDefinition/signature-superseded",
)
_OPEN = ("partial", "preliminary")
EMERGENCIES = "emergency-release-reason"
_ANSWERS_THE_SIGNATURE = (400, 409, 412, 422)


@dataclass(frozen=True, slots=True)
class ToSign:
    """What one signature is over; `prev`: what it is chained to, '' for the first."""

    role: str
    payload: str  # base64
    sha256: str
    form: str
    words: list[Block]
    issues: list[Found]
    hints: list[Hint]
    prev: str = ""


@dataclass(frozen=True, slots=True)
class SigningPages:
    """The signature of whoever is signed in."""

    place: Place

    def routes(self) -> list[Route]:
        """`/reading/reports/{id}/sign` and the bytes to sign elsewhere."""
        one = f"{READING}/reports/{{id}}/sign"
        table: list[tuple[str, Any, list[str]]] = [
            (one, self.shown, ["GET"]),
            (one, self.signed, ["POST"]),
            (f"{one}/answer", self.answered, ["POST"]),
            (f"{READING}/reports/{{id}}/payload", self.payload, ["GET"]),
        ]
        return self.place.routes(table)

    async def shown(self, request: Request, session: Session) -> Response:
        """The rendering, what the signer is told, and the ways to sign."""
        return await self._page(request, session, await self.place.hand(session))

    async def payload(self, request: Request, session: Session) -> Response:
        """The very bytes, for a key that is not in this browser."""
        hand = await self.place.hand(session)
        one = await of_report(hand, named_in(request, "DiagnosticReport"))
        asked = await to_sign(hand, one, request.query_params.get("role", ""))
        headers = {"Content-Disposition": 'attachment; filename="payload.json"', "Cache-Control": "no-store"}
        return Response(base64.b64decode(asked.payload), media_type="application/json", headers=headers)

    async def signed(self, request: Request, session: Session) -> Response:
        """`$sign` in the person's name; a refused signature is told with each reason."""
        form, hand = await self.place.posted(request, session), await self.place.hand(session)
        report, jws = named_in(request, "DiagnosticReport"), "".join(form.get("jws", "").split())
        try:
            if not jws:
                raise _no_signature()
            call: list[Tree] = [
                {"name": "jws", "valueString": jws},
                {"name": "role", "valueCode": form.get("role", "")},
                *([_emergency(form["emergency"])] if form.get("emergency") else []),
            ]
            answer = await hand.called(f"DiagnosticReport/{report}/$sign", call)
        except FhirError as refused:
            if refused.status not in _ANSWERS_THE_SIGNATURE:
                raise
            return await self._page(request, session, hand, form=form, refused=refused)
        stands_as = next(
            (one["valueReference"]["reference"] for one in answer["parameter"] if one["name"] == "report"), ""
        )
        return RedirectResponse(f"{READING}/reports/{stands_as.rpartition('/')[2] or report}/verify", 303)

    async def answered(self, request: Request, session: Session) -> Response:
        """`$answer-text-check`: the signer stands for words that a check questions, and says why."""
        form, hand = await self.place.posted(request, session), await self.place.hand(session)
        call: list[Tree] = [
            {"name": name, "valueString": words} for name in ("key", "reason") if (words := form.get(name, "").strip())
        ]
        try:
            await hand.called(f"DiagnosticReport/{named_in(request, 'DiagnosticReport')}/$answer-text-check", call)
        except FhirError as refused:
            if refused.status not in _ANSWERS_THE_SIGNATURE:
                raise
            return await self._page(request, session, hand, refused=refused)
        return RedirectResponse(request.url.path.removesuffix("/answer"), 303)

    async def _page(
        self, request: Request, session: Session, hand: Hand, *, form: Mapping[str, str] | None = None, refused: FhirError | None = None,
    ) -> Response:  # fmt: skip
        one = await of_report(hand, named_in(request, "DiagnosticReport"))
        wanted = (form or {}).get("role") or request.query_params.get("role", "")
        asked = await to_sign(hand, one, wanted) if one.status in _OPEN else None
        language = language_of(request)
        return reading_page(
            self.place,
            request,
            session,
            "sign.html",
            status=refused.status if refused else 200,
            one=one,
            exam=one.exam,
            asked=asked,
            emergencies=await coded(hand, EMERGENCIES) if asked and _may_be_released_at_once(one, asked) else [],
            emergency=(form or {}).get("emergency", ""),
            purpose=purpose(asked.role) if asked else None,
            roles=ROLES,
            who=session.account.practitioner,
            pasted=(form or {}).get("pasted") == "1" and (form or {}).get("jws", ""),
            refused=[said((issue.zh, issue.en), language) for issue in refused.issues] if refused else [],
            may_sign=may(session, "DiagnosticReport", "u"),
        )


def _may_be_released_at_once(one: OneReport, asked: ToSign) -> bool:
    """Whether a release under one signature may be asked for: the first version of a stat exam, signed by nobody yet."""
    return one.exam.priority == "stat" and not asked.prev and one.change is None


def _emergency(code: str) -> Tree:
    coding = {"system": f"{CANONICAL}/CodeSystem/{EMERGENCIES}", "code": code}
    return {"name": "emergency", "valueCodeableConcept": {"coding": [coding]}}


async def to_sign(hand: Hand, one: OneReport, role: str) -> ToSign:
    """What the next signature is over; without a role, the one whose turn it is."""
    standing = await standing_signatures(hand, one.reference)
    role = role if role in ROLES else ROLES[min(len(standing), len(ROLES) - 1)]
    answer = await hand.called(f"{one.reference}/$signing-input", [{"name": "role", "valueCode": role}])
    parts: dict[str, Any] = {part["name"]: part for part in answer["parameter"] if part["name"] != "issue"}
    told: list[Tree] = [part["resource"] for part in answer["parameter"] if part["name"] == "issue"]
    hints = await hints_for(hand, str((one.report or {})["id"]), one.exam.id, words_in(one.report, one.text)) or []
    return ToSign(
        role,
        parts["payload"]["valueBase64Binary"],
        parts["sha256"]["valueString"],
        parts["form"]["valueUri"],
        words_of(parts["rendering"]["valueAttachment"]),
        found_in([one for one in told if hint(one, {}) is None]),
        hints,
        parts.get("previous", {}).get("valueString", ""),
    )


async def standing_signatures(hand: Hand, report: str) -> list[str]:
    """The signatures that stand on what is kept, oldest first."""
    found = await hand.found("Provenance", [("target", report), ("_sort", "recorded")])
    return [
        jws for one in sorted(found, key=lambda one: str(one.get("recorded"))) if _stands(one) for jws in _jws_in(one)
    ]


def _stands(provenance: Tree) -> bool:
    extensions: Sequence[Tree] = provenance.get("extension", [])
    return not any(one.get("url") in _NO_MORE for one in extensions)


def _jws_in(provenance: Tree) -> list[str]:
    found = []
    for signature in provenance.get("signature", []):
        try:
            found.append(base64.b64decode(signature["data"]).decode("ascii"))
        except (KeyError, binascii.Error, UnicodeDecodeError):
            continue
    return found


def _no_signature() -> FhirError:
    return unprocessable(
        "There is no signature yet: sign with the key of this browser, or paste one made elsewhere.",
        "尚无签名：请用本浏览器中的密钥签名，或粘贴在别处生成的签名。",
        at="Parameters.parameter.where(name='jws')",
        detail="reading.no-signature",
    )
