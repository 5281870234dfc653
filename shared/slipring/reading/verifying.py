"""Who signed a report, when, and whether each signature stands: examined anew each time the page is opened."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from slipring.department import names
from slipring.department.names import Pair
from slipring.department.place import Place, named_in
from slipring.department.road import Hand, Tree
from slipring.department.staff import called, people_named
from slipring.identity.people.sessions import Session
from slipring.reading.one_report import of_report
from slipring.reading.taking import proof_taken
from slipring.reading.workplace import READING, reading_page
from slipring.signing.policy import reason
from slipring.signing.proof import proof_reason

# Reasons that are no fault of the signature itself, beside those of `signing/reasons.toml`.
_OF_THE_RECORD: dict[str, Pair] = {
    "voided": ("内容在签名后有改动，签名不再有效。", "The content was changed after it: the signature no longer stands."),
    "superseded": ("该签名属于更早的版本。", "It stands on an earlier version."),
    "signer-differs": ("证书所属人员与记录的签名人不同。", "The certificate names another person than the record."),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Examined:
    """One signature, or the service's seal (`who` is empty), as it was found."""

    who: tuple[str, str]  # name, number
    when: datetime | None
    algorithm: str
    valid: bool
    sealed: bool
    reasons: list[Pair]


@dataclass(frozen=True, slots=True)
class VerifyPage:
    """The signatures of one report."""

    place: Place

    def routes(self) -> list[Route]:
        """`/reading/reports/{id}/verify`, and the proof to take along."""
        one = f"{READING}/reports/{{id}}"
        return self.place.routes([(f"{one}/verify", self.shown, ["GET"]), (f"{one}/proof", self.proof, ["GET"])])

    async def proof(self, request: Request, session: Session) -> Response:
        """`$proof`, as a file."""
        return await proof_taken(await self.place.hand(session), named_in(request, "DiagnosticReport"))

    async def shown(self, request: Request, session: Session) -> Response:
        """`$verify`, in words."""
        hand = await self.place.hand(session)
        one = await of_report(hand, named_in(request, "DiagnosticReport"))
        answer = (await hand.called(f"{one.reference}/$verify", []))["parameter"]
        return reading_page(
            self.place,
            request,
            session,
            "verify.html",
            one=one,
            exam=one.exam,
            valid=any(part["name"] == "valid" and part["valueBoolean"] for part in answer),
            signatures=await _examined(hand, [part for part in answer if part["name"] == "signature"]),
            seals=await _examined(hand, [part for part in answer if part["name"] == "seal"]),
        )


async def _examined(hand: Hand, answers: Sequence[Tree]) -> list[Examined]:
    told: list[list[Tree]] = [one.get("part", []) for one in answers]
    people = await people_named(hand, [str(_value(parts, "who", {}).get("reference", "")) for parts in told])
    return [
        Examined(
            called(people.get(str(_value(parts, "who", {}).get("reference", "")))),
            names.moment(_value(parts, "when", "")),
            str(_value(parts, "alg", "")),
            bool(_value(parts, "valid", False)),
            bool(_value(parts, "sealed", False)),
            [words_for(str(part["valueString"])) for part in parts if part["name"] == "reason"],
        )
        for parts in told
    ]


def words_for(code: str) -> Pair:
    """A reason in words; one that is not known here by its code."""
    if code in _OF_THE_RECORD:
        return _OF_THE_RECORD[code]
    for known in (reason, proof_reason):
        try:
            told = known(code)
        except KeyError:
            continue
        return told.zh, told.en
    return code, code


def _value(parts: Sequence[Tree], name: str, otherwise: Any) -> Any:
    for part in parts:
        if part["name"] == name:
            return next((value for member, value in part.items() if member.startswith("value")), otherwise)
    return otherwise
