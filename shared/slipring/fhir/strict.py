"""Received JSON read strictly: every fault is a refusal that says where it stands.

Not JSON, not UTF-8, too large, too deep, a member given twice, a number that cannot be kept, half a character.
"""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any, NoReturn

from slipring.fhir.outcome import FhirError, invalid, refusal
from slipring.fhir.plain_json import PlainReader
from slipring.fhir.tokens import places, where_it_ends

Tree = dict[str, Any]

MOST_DIGITS = 64  # characters of one number; FHIR promises 18 digits
LARGEST_EXPONENT = 308  # the range of a double, which every receiver can hold
DEFAULT_BYTES = 20 * 1024 * 1024
DEFAULT_DEPTH = 64

_DOUBTFUL_ESCAPE = re.compile(r"\\(?:[bf]|u00[01]|u[dD][89a-fA-F])")
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff]")


class _BadNumber(ValueError):
    """A number FHIR does not allow, or one too long to keep exactly."""


class _RepeatedName(ValueError):
    """An object that gives one name twice."""


def _decimal(written: str) -> Decimal:
    if len(written) > MOST_DIGITS or _exponent(written) > LARGEST_EXPONENT:
        raise _BadNumber
    return Decimal(written)


def _integer(written: str) -> int:
    if len(written) > MOST_DIGITS:
        raise _BadNumber
    return int(written)


def _exponent(written: str) -> int:
    """The size of the exponent of a number, without its sign."""
    _, mark, digits = written.lower().partition("e")
    return abs(int(digits)) if mark else 0


def _constant(_: str) -> NoReturn:
    raise _BadNumber


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    tree = dict(pairs)
    if len(tree) != len(pairs):
        raise _RepeatedName
    return tree


_decode = json.JSONDecoder(
    object_pairs_hook=_object, parse_float=_decimal, parse_int=_integer, parse_constant=_constant
).decode
_plain = PlainReader(_decimal)


class Number(Decimal):
    """A number that remembers how it was written."""

    __slots__ = ("written",)
    written: str

    def __new__(cls, written: str) -> Number:
        """Refuse what cannot be kept exactly."""
        _decimal(written)
        number = super().__new__(cls, written)
        number.written = written
        return number

    def __deepcopy__(self, _: object) -> Number:
        return self


_decode_as_written = json.JSONDecoder(
    object_pairs_hook=_object, parse_float=Number, parse_int=Number, parse_constant=_constant
).decode


def parse(body: bytes, *, max_bytes: int = DEFAULT_BYTES, max_depth: int = DEFAULT_DEPTH) -> tuple[str, Tree]:
    """Read a received resource strictly: its text, and the tree with numbers as int or Decimal."""
    text = _text(body, max_bytes)
    tree = _plain.read(body, max_depth)
    if tree is None:
        tree = _judged(text, _decode, max_depth)
    if not isinstance(tree, dict):
        raise invalid(
            "The body is not a JSON object.", "请求内容不是 JSON 对象。", detail="kernel.body-not-json-object"
        )
    if "\\" in text and _DOUBTFUL_ESCAPE.search(text):
        _refuse_characters(text)
    return text, tree


def parse_as_written(body: bytes, *, max_bytes: int = DEFAULT_BYTES, max_depth: int = DEFAULT_DEPTH) -> Any:
    """Read any received JSON strictly, with every number as a `Number`."""
    text = _text(body, max_bytes)
    tree = _judged(text, _decode_as_written, max_depth)
    if "\\" in text and _DOUBTFUL_ESCAPE.search(text):
        _refuse_characters(text)
    return tree


def _judged(text: str, decode: Callable[[str], Any], max_depth: int) -> Any:
    """The tree, or the refusal that says what is wrong with the text."""
    try:
        tree = decode(text)
    except _BadNumber:
        raise _number_refused(text) from None
    except _RepeatedName:
        raise _repetition_refused(text) from None
    except RecursionError:
        raise _too_deep(max_depth) from None
    except json.JSONDecodeError as error:
        raise _not_json(error.lineno, error.colno) from None
    _refuse_depth(tree, max_depth)
    return tree


def _text(body: bytes, max_bytes: int) -> str:
    if not body:
        raise invalid("The request has no body.", "请求没有请求体。", detail="kernel.request-no-body")
    if len(body) > max_bytes:
        raise refusal(
            413,
            "too-long",
            f"The body is larger than {max_bytes} bytes.",
            f"请求内容超过 {max_bytes} 字节。",
            detail="kernel.body-larger-than-bytes",
        )
    if body.startswith(codecs.BOM_UTF8):
        raise invalid(
            "The body begins with a byte order mark.",
            "请求内容以字节顺序标记（BOM）开头。",
            detail="kernel.body-begins-byte-order-mark",
        )
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError as error:
        before = body[: error.start]
        line, column = before.count(b"\n") + 1, len(before) - before.rfind(b"\n")
        raise invalid(
            f"The body is not UTF-8: byte {error.start} does not fit (line {line}, byte {column} of it).",
            f"请求内容不是 UTF-8：第 {error.start} 字节有误（第 {line} 行第 {column} 字节）。",
            detail="kernel.body-not-utf",
        ) from None


def _not_json(line: int, column: int) -> FhirError:
    return invalid(
        f"The body is not JSON: line {line}, column {column}.",
        f"请求内容不是合法的 JSON：第 {line} 行第 {column} 列。",
        detail="kernel.body-not-json",
    )


def _refuse_depth(tree: Any, max_depth: int) -> None:
    level: list[Any] = [tree] if tree.__class__ is dict or tree.__class__ is list else []
    for _ in range(max_depth):
        below: list[Any] = []
        for node in level:
            below += [
                child
                for child in (node.values() if node.__class__ is dict else node)
                if child.__class__ is dict or child.__class__ is list
            ]
        if not below:
            return
        level = below
    raise _too_deep(max_depth)


def _too_deep(max_depth: int) -> FhirError:
    return invalid(
        f"The body is nested deeper than {max_depth} levels.",
        f"请求内容嵌套超过 {max_depth} 层。",
        detail="kernel.body-nested-deeper-than-levels",
    )


def _number_refused(text: str) -> FhirError:
    for place, kind, written in places(text):
        if kind == "number" and (len(written) > MOST_DIGITS or _exponent(written) > LARGEST_EXPONENT):
            return invalid(
                "This number is too long to keep.",
                "该数字过长，无法原样保存。",
                at=place,
                detail="kernel.number-too-long-keep",
            )
    line, column = where_it_ends(text)
    return invalid(
        f"The body holds NaN or Infinity, which JSON has not: line {line}, column {column}.",
        f"请求内容含 NaN 或 Infinity，JSON 不允许：第 {line} 行第 {column} 列。",
        detail="kernel.body-holds-nan-infinity-json",
    )


def _repetition_refused(text: str) -> FhirError:
    seen: set[str] = set()
    for place, kind, _ in places(text):
        if kind == "name":
            if place in seen:
                return invalid(
                    "This member is given twice.", "该成员重复出现。", at=place, detail="kernel.member-given-twice"
                )
            seen.add(place)
    return invalid("A member is given twice.", "有成员重复出现。", detail="kernel.member-given-twice")


def _refuse_characters(text: str) -> None:
    for place, kind, written in places(text):
        if kind in ("name", "string") and "\\" in written and _FORBIDDEN.search(json.loads(written)):
            raise invalid(
                "This text holds a control character or half a surrogate pair.",
                "该文本含控制字符或不完整的代理对。",
                at=place,
                detail="kernel.text-holds-control-character-half",
            )
