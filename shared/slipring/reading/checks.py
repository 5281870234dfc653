"""What the checks of a text see in the words that stand in the editor, each with its place (`DiagnosticReport/$check-text`)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from slipring.department import names
from slipring.department.names import Pair
from slipring.department.place import Place
from slipring.department.road import Hand, Tree
from slipring.fhir.outcome import FhirError, not_found
from slipring.fhir.service import CANONICAL
from slipring.identity.people.sessions import Session
from slipring.reading.workplace import READING, reading_page

# The names that the operation knows sections by.
SECTIONS: Mapping[str, str] = {"findings": "59776-5", "impression": "19005-8", "comparison": "18834-2"}
KEY = f"{CANONICAL}/text-check"
_PLACE = f"{CANONICAL}/StructureDefinition/text-place"
_UNREADABLE = (400, 409, 422)


@dataclass(frozen=True, slots=True)
class Hint:
    """One thing to look at: in which section, from where to where (in characters); `code` of a critical finding."""

    words: Pair
    section: str
    start: int
    end: int
    quoted: str
    code: str
    key: str
    answered: Pair

    @property
    def open(self) -> bool:
        """Whether nobody stood for these words yet."""
        return not self.answered[0]


@dataclass(frozen=True, slots=True)
class CheckPage:
    """The checks for a page that is being typed in."""

    place: Place

    def routes(self) -> list[Route]:
        """`/reading/checks`: the editor's fields in, the list of what was found out; nothing is stored."""
        return self.place.routes([(f"{READING}/checks", self.checked, ["POST"])])

    async def checked(self, request: Request, session: Session) -> Response:
        """The list for the words as they stand."""
        form = await self.place.posted(request, session)
        about = {name: form.get(name, "") for name in ("report", "request")}
        if any(named and not names.ID.fullmatch(named) for named in about.values()):
            raise not_found("DiagnosticReport")
        words = {name.removeprefix("s."): said for name, said in form.items() if name.startswith("s.")}
        hints = await hints_for(await self.place.hand(session), about["report"], about["request"], words)
        return reading_page(self.place, request, session, "checks.html", hints=hints)


async def hints_for(hand: Hand, report: str, request: str, words: Mapping[str, str]) -> list[Hint] | None:
    """What the checks find, open ones first; None when they cannot be asked."""
    plain = {name: words[code].replace("\r\n", "\n") for name, code in SECTIONS.items() if code in words}
    call: list[Tree] = [{"name": name, "valueString": said} for name, said in plain.items() if said.strip()]
    if not call:
        return []
    target = f"DiagnosticReport/{report}/$check-text" if report else "DiagnosticReport/$check-text"
    about: list[Tree] = (
        [] if report else [{"name": "request", "valueReference": {"reference": f"ServiceRequest/{request}"}}]
    )
    try:
        answer = await hand.called_if_allowed(target, [*about, *call])
    except FhirError as refused:
        if refused.status in _UNREADABLE:
            return None
        raise
    if answer is None:
        return None
    found = [hint(one["resource"], plain) for one in answer if one["name"] == "issue"]
    return sorted((one for one in found if one), key=lambda one: not one.open)


def hint(issue: Tree, plain: Mapping[str, str]) -> Hint | None:
    """A DetectedIssue of the checks; None for another one."""
    keys = [str(one.get("value", "")) for one in issue.get("identifier", []) if one.get("system") == KEY]
    if not keys:
        return None
    said = _parts(issue)
    name, start, end = str(said.get("section", "")), int(said.get("start", 0)), int(said.get("end", 0))
    done: Sequence[Tree] = issue.get("mitigation", [])
    return Hint(
        names.text_words(issue, "detail"),
        SECTIONS.get(name, ""),
        start,
        end,
        plain.get(name, "")[start:end],
        str(said.get("finding", "")),
        keys[0],
        names.concept_words(done[0].get("action")) if done else ("", ""),
    )


def _parts(issue: Tree) -> dict[str, Any]:
    place: Tree = next((one for one in issue.get("extension", []) if one.get("url") == _PLACE), {})
    return {
        str(part["url"]): next((value for name, value in part.items() if name.startswith("value")), None)
        for part in place.get("extension", [])
    }
