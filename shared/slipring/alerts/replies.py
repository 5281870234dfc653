"""Where a gateway posts the replies of receivers: text messages and keypad digits, signed as our own webhooks are.

Here a reply is taken apart and its PIN looked at, which goes no further; what it means for the case is decided by
`Task/$reply`. The answer says what the gateway shall send or read out next.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from slipring.alerts.receiver import LINK_PATH, Door
from slipring.department import names
from slipring.department.road import Hand, Tree
from slipring.fhir.delivery.signature import HEADER, stands
from slipring.fhir.outcome import FhirError, busy, invalid, not_found, unauthorized
from slipring.fhir.store.engine import UNAVAILABLE
from slipring.fhir.wire import read_body
from slipring.front.exchange import request_id_of
from slipring.front.peers import decoded, refused
from slipring.identity.people.accounts import Account

REPLIES = f"{LINK_PATH}/replies"
_LONGEST_BODY = 16_384
_WITHIN = timedelta(minutes=5)  # an older signature may be somebody's copy
_SEPARATORS = re.compile(r"[\s#*,;:，；：、。]+")
_CODE = re.compile(r"[0-9]{5}", re.ASCII)
_A_PIN = re.compile(r"[0-9]{6,}", re.ASCII)
_MASK = "******"
_FIELDS = {"id": 200, "conversation": 200, "medium": 32}  # longest
_LONGEST_TEXT = 1000


@dataclass(frozen=True, slots=True)
class Reply:
    """One reply: what the gateway says of it, and the words of whoever typed it."""

    id: str
    conversation: str
    medium: str
    code: str
    words: Sequence[str]

    @property
    def kept(self) -> str:
        """The words as they may be kept: nothing that could be a PIN."""
        return _A_PIN.sub(_MASK, " ".join(self.words))


@dataclass(frozen=True, slots=True)
class ReplyDoor:
    """`/a/replies`; without a secret nobody can post there."""

    door: Door
    secrets: Sequence[str]

    def routes(self) -> list[Route]:
        """Before the pages of links, whose addresses look alike."""
        return [Route(REPLIES, self.posted, methods=["POST"])]

    async def posted(self, request: Request) -> Response:
        """`{id, conversation, medium, text | digits}`; answered by `{say, expects}`, or an OperationOutcome."""
        language, request_id = request.headers.get("accept-language", "zh-CN"), request_id_of(request)
        try:
            if not self.secrets:
                raise not_found("replies")
            body = await read_body(request, _LONGEST_BODY)
            self._demand_signature(request.headers.get(HEADER, ""), body)
            return JSONResponse(await self._said(read_reply(decoded(body))))
        except ClientDisconnect:
            return Response(status_code=499)
        except FhirError as error:
            return refused(error, language, request_id)
        except UNAVAILABLE:
            away = busy(
                "The database cannot be reached right now; post the reply again.",
                "数据库暂时无法访问，请重新提交该回复。",
                detail="alerts.reply-database-away",
            )
            return refused(away, language, request_id)

    def _demand_signature(self, header: str, body: bytes) -> None:
        if not stands(header, self.secrets, body, self.door.place.now(), _WITHIN):
            raise unauthorized(
                f"The reply is not signed by the shared secret, or more than 5 minutes ago (header {HEADER}).",
                f"回复没有用共享密钥签名，或签名已超过 5 分钟（请求头 {HEADER}）。",
                detail="alerts.reply-not-signed",
            )

    async def _said(self, reply: Reply) -> Tree:
        own = await self.door.own_hand()
        # A message that was taken already is refused here: its PIN, if wrong, has counted.
        standing = await _told(own, "$conversation", _given(reply, "message", "conversation", "code"))
        hand, said, left = own, reply.kept, None
        if standing["expects"] == "pin" and reply.words:
            account, left = await self._proved(reply, standing)
            hand, said = await self._hand(account) if account else own, _MASK
            left = None if account else left
        elif "who" in standing:
            hand = await self._hand(await self.door.pins.account_of(standing["who"]))
        given = _given(reply, "message", "conversation", "code", "medium")
        given += [{"name": "said", "valueString": said}] if said else []
        given += [{"name": "left", "valueInteger": left}] if left is not None else []
        told = await _told(hand, "$reply", given)
        return {"id": reply.id, "say": told["say"], "expects": told["expects"]}

    async def _proved(self, reply: Reply, standing: dict[str, str]) -> tuple[Account | None, int]:
        """A PIN alone is the route's owner's; with a name before it, whoever is named."""
        *before, pin = reply.words
        key = f"reply {standing['attempt']}"
        if before:
            return await self.door.proved(" ".join(before), pin, key)
        return await self.door.pins.proved("", pin, key, standing.get("owner", ""))

    async def _hand(self, account: Account | None) -> Hand:
        if account is None or not account.usable(self.door.place.now()):
            raise unauthorized(
                "Whoever began this conversation may not go on: begin anew with the code.",
                "发起该对话的人已不能继续；请重新发送代码。",
                detail="alerts.reply-account-ended",
            )
        return (await self.door.by_pin(account)).hand


def read_reply(body: Any) -> Reply:
    """The reply in a body; 400 naming the member that is wrong."""
    if not isinstance(body, dict):
        raise invalid("A reply is a JSON object.", "回复须为 JSON 对象。", detail="alerts.reply-no-object")
    kept = {name: _text(body.get(name), name, longest) for name, longest in _FIELDS.items()}
    member = "digits" if "digits" in body and "text" not in body else "text"
    words = _words(_text(body.get(member, ""), member, _LONGEST_TEXT, may_be_empty=True))
    code = words.pop(0) if words and _CODE.fullmatch(words[0]) else ""
    return Reply(kept["id"], kept["conversation"], kept["medium"], code, words)


def _text(value: Any, member: str, longest: int, *, may_be_empty: bool = False) -> str:
    if isinstance(value, str) and len(value) <= longest and (may_be_empty or value.strip()) and "\0" not in value:
        return value.strip()
    raise invalid(
        f"{member} is text of at most {longest} characters.",
        f"{member} 须为文本，最多 {longest} 个字符。",
        at=member,
        detail="alerts.reply-member",
    )


def _words(text: str) -> list[str]:
    """What was typed, by a thumb: full-width digits are digits, the keys * and # are spaces.

    >>> _words("４８２９１ ＃482913#")
    ['48291', '482913']
    """
    return [word for word in _SEPARATORS.split(unicodedata.normalize("NFKC", text)) if word]


def _given(reply: Reply, *wanted: str) -> list[Tree]:
    known = {
        "message": reply.id, "conversation": reply.conversation, "code": reply.code, "medium": reply.medium,
    }  # fmt: skip
    typed = {"medium": "valueCode"}
    return [{"name": name, typed.get(name, "valueString"): known[name]} for name in wanted if known[name]]


async def _told(hand: Hand, operation: str, given: Sequence[Tree]) -> dict[str, str]:
    try:
        return _parts(await hand.called(f"Task/{operation}", given))
    except FhirError as error:
        raise _at_its_fields(error, given) from None


def _parts(answer: Tree) -> dict[str, str]:
    found = {}
    for one in answer.get("parameter", []):
        value = next(value for name, value in one.items() if name.startswith("value"))
        found[str(one["name"])] = names.reference_in(value) if isinstance(value, dict) else str(value)
    return found


def _at_its_fields(error: FhirError, given: Sequence[Tree]) -> FhirError:
    """The refusal with the places named as the gateway wrote them."""
    called = {"message": "id", "said": "text", "code": "text"}
    issues = []
    for issue in error.issues:
        place = re.match(r"Parameters\.parameter\[(\d+)\]", issue.at)
        name = str(given[int(place[1])]["name"]) if place and int(place[1]) < len(given) else ""
        issues.append(replace(issue, at=called.get(name, name) if name else issue.at))
    return FhirError(error.status, issues, error.headers)
