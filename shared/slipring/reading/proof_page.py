"""`/verify`: whoever holds the proof of a report or of a critical case, or an assessor's sample, has it verified here, without an account.

The judgement is that of `slipring verify`. The words of a report are shown only where nothing speaks against any part of
the file, and as words alone: no markup of it reaches the page. Nothing is kept.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from slipring.department import names
from slipring.department.names import Pair
from slipring.department.place import Place
from slipring.fhir.outcome import busy
from slipring.pages.blocks import Block, blocks
from slipring.pages.forms import files_of
from slipring.signing.case_proof import CASE
from slipring.signing.proof import Proof, ProofRefused, proof_reason
from slipring.signing.proof_file import judged_file, roots_used
from slipring.signing.verdict import SAMPLE, Verdict

VERIFY = "/verify"
LIMIT_BYTES = 16_777_216  # a proof with its PDF has some hundred kilobytes
_AT_ONCE = 2  # files that are judged side by side in one process
_WAITS_SECONDS = 20.0
_COLOURS = {
    "verdict-holds": "good",
    "verdict-case-holds": "good",
    "verdict-sample-holds": "good",
    "verdict-broken": "bad",
}
_RENDERING = "rendering-"


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a proof as it was judged."""

    kind: str  # manifest, content, signature, signatures, rendering; of a case: case, event, end; of a sample: sample, draw, of-ORDER
    number: str
    facts: Mapping[str, Any]
    reasons: Sequence[Pair]


@dataclass(frozen=True, slots=True)
class Told:
    """What the page says of a file; `refused`: it is no proof, and why."""

    refused: Pair | None = None
    at: str = ""
    code: str = ""
    about: str = ""
    case: bool = False  # the timeline of a critical case, which nobody signs
    sample: bool = False  # an assessor's sample: what the services sealed of the cases drawn
    signatures: list[Part] = field(default_factory=list)
    events: list[Part] = field(default_factory=list)
    others: list[Part] = field(default_factory=list)
    roots: Sequence[Mapping[str, str]] = ()
    own_root: bool = False
    words: Sequence[Block] = ()

    @property
    def colour(self) -> str:
        """How the verdict looks."""
        return _COLOURS.get(self.code, "warn")


@dataclass(frozen=True, slots=True)
class ProofPage:
    """The page, open to anybody who reaches the house."""

    place: Place
    turn: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(_AT_ONCE))

    def routes(self) -> list[Route]:
        """`/verify`."""
        guarded = self.place.pages.guarded
        return [
            Route(VERIFY, guarded(self.shown), methods=["GET"]),
            Route(VERIFY, guarded(self.judged), methods=["POST"]),
        ]

    async def shown(self, request: Request) -> Response:
        """Where a file is chosen, and how to do without this page."""
        return await self._page(request)

    async def judged(self, request: Request) -> Response:
        """The verdict on a file."""
        files = await files_of(request, LIMIT_BYTES)
        proof, trust = files.get("proof", b""), files.get("trust", b"")
        if not proof:
            return await self._page(request, beside={"proof": "none"}, status=422)
        if trust and not _readable(trust):
            return await self._page(request, beside={"trust": "none"}, status=422)
        try:
            async with asyncio.timeout(_WAITS_SECONDS):
                await self.turn.acquire()
        except TimeoutError:
            raise busy(
                "Too many files are being verified right now; try again shortly.",
                "正在核验的文件过多，请稍后重试。",
                detail="reading.verify-busy",
            ) from None
        try:
            told = await asyncio.to_thread(told_of, proof, trust or None)
        finally:
            self.turn.release()
        return await self._page(request, told=told, status=422 if told.refused else 200)

    async def _page(
        self, request: Request, *, told: Told | None = None, beside: Mapping[str, str] | None = None, status: int = 200
    ) -> Response:
        pages = self.place.pages
        viewer = await pages.viewer_of(request) if pages.viewer_of else None
        return pages.page(
            request, "reading/proof.html", viewer=viewer, status=status, told=told, beside=beside or {},
            names=names, megabytes=LIMIT_BYTES // 1_048_576,
        )  # fmt: skip


def told_of(content: bytes, trust_pem: bytes | None) -> Told:
    """What the page says of a file."""
    try:
        proof, found = judged_file(content, trust_pem)
    except ProofRefused as refused:
        words = proof_reason(refused.code)
        return Told(refused=(words.zh, words.en), at=refused.at)
    named = _sample_part if found.kind == SAMPLE else _part
    parts = [named(one.part, one.facts, [(why.zh, why.en) for why in one.reasons]) for one in found.judgements]
    return Told(
        code=found.code,
        about=proof.about,
        case=proof.kind == CASE,
        sample=found.kind == SAMPLE,
        events=[one for one in parts if one.kind == "event"],
        signatures=[one for one in parts if one.kind == "signature"],
        others=[one for one in parts if one.kind not in ("signature", "event")],
        roots=[_root(one) for one in roots_used(proof, trust_pem)],
        own_root=trust_pem is not None,
        words=_words(proof, found),
    )


def _part(name: str, facts: Mapping[str, str], reasons: Sequence[Pair]) -> Part:
    kind, _, number = name.partition("-")
    return _told(kind, number, facts, reasons)


def _told(kind: str, number: str, facts: Mapping[str, str], reasons: Sequence[Pair]) -> Part:
    moments = {one: names.moment(facts[one]) for one in ("when", "until", "stamp") if facts.get(one)}
    return Part(kind, number, {**facts, **moments}, reasons)


def _sample_part(name: str, facts: Mapping[str, str], reasons: Sequence[Pair]) -> Part:
    """`case-01-order manifest` is what order sealed of the first case."""
    place, _, _ = name.partition(" ")
    if not place.startswith("case-"):
        return _told(place, "", facts, reasons)
    _, number, service = place.split("-", 2)
    return _told(f"of-{service}", str(int(number)), facts, reasons)


def _words(proof: Proof, found: Verdict) -> list[Block]:
    """The first page of the report as words; of a file that does not hold, nothing."""
    if not found.holds:
        return []
    sealed = (str(one.facts.get("file", "")) for one in found.judgements if one.part.startswith(_RENDERING))
    page = next((name for name in sealed if name.endswith(".html")), "")
    return blocks(proof.members[page].decode("utf-8", "replace")) if page else []


def _root(certificate: x509.Certificate) -> dict[str, str]:
    digest = certificate.fingerprint(hashes.SHA256()).hex().upper()
    return {
        "name": certificate.subject.rfc4514_string(),
        "fingerprint": " ".join(digest[at : at + 4] for at in range(0, len(digest), 4)),
    }


def _readable(pem: bytes) -> bool:
    try:
        return bool(x509.load_pem_x509_certificates(pem))
    except ValueError:
        return False
