"""Received JSON text: read strictly, and change only the places the server owns.

What was received is what is served: numbers, escapes and the order of members stay as they were written, so a
stored resource is the received text with a few places spliced, never a re-dump of a tree.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, NoReturn

import msgspec

from slipring.fhir.outcome import FhirError, invalid, refusal
from slipring.fhir.plain_json import PlainReader
from slipring.fhir.tokens import places, tokens

__all__ = ["encode", "entries_text", "parse", "splice", "tokens"]

Tree = dict[str, Any]

MOST_DIGITS = 64  # characters of one number; FHIR promises 18 digits
LARGEST_EXPONENT = 308  # the range of a double, which every receiver can hold
DEFAULT_BYTES = 20 * 1024 * 1024
DEFAULT_DEPTH = 64

_DOUBTFUL_ESCAPE = re.compile(r"\\(?:[bf]|u00[01]|u[dD][89a-fA-F])")
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff]")
_REFERENCE = re.compile(r'(?<!\\)("reference"[ \t\r\n]*:[ \t\r\n]*)("(?:[^"\\]|\\.)*")')

_encoder = msgspec.json.Encoder(decimal_format="number")
_members_of = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_items_of = msgspec.json.Decoder(list[msgspec.Raw]).decode


class _Entry(msgspec.Struct):
    resource: msgspec.Raw = msgspec.Raw()


class _Bundle(msgspec.Struct):
    entry: list[_Entry] = []


_bundle_of = msgspec.json.Decoder(_Bundle).decode


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


def parse(body: bytes, *, max_bytes: int = DEFAULT_BYTES, max_depth: int = DEFAULT_DEPTH) -> tuple[str, Tree]:
    """Read a received body strictly: its text, and the tree with numbers as int or Decimal."""
    if len(body) > max_bytes:
        raise refusal(
            413, "too-long", f"The body is larger than {max_bytes} bytes.", f"请求内容超过 {max_bytes} 字节。"
        )
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise invalid(
            f"The body is not UTF-8: byte {error.start} does not fit.",
            f"请求内容不是 UTF-8：第 {error.start} 字节有误。",
        ) from None
    tree = _plain.read(body, max_depth)
    if tree is None:
        tree = _strict(text, max_depth)
    if "\\" in text and _DOUBTFUL_ESCAPE.search(text):
        _refuse_characters(text)
    return text, tree


def _strict(text: str, max_depth: int) -> Tree:
    """The tree of a text that the fast reader would not answer for, or the refusal that says what is wrong with it."""
    try:
        tree = _decode(text)
    except _BadNumber:
        raise _number_refused(text) from None
    except _RepeatedName:
        raise _repetition_refused(text) from None
    except RecursionError:
        raise _too_deep(max_depth) from None
    except json.JSONDecodeError as error:
        raise invalid(
            f"The body is not JSON: line {error.lineno}, column {error.colno}.",
            f"请求内容不是合法的 JSON：第 {error.lineno} 行第 {error.colno} 列。",
        ) from None
    if not isinstance(tree, dict):
        raise invalid("The body is not a JSON object.", "请求内容不是 JSON 对象。")
    _refuse_depth(tree, max_depth)
    return tree


def _refuse_depth(tree: Tree, max_depth: int) -> None:
    level: list[Any] = [tree]
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
    return invalid(f"The body is nested deeper than {max_depth} levels.", f"请求内容嵌套超过 {max_depth} 层。")


def _number_refused(text: str) -> FhirError:
    for place, kind, written in places(text):
        if kind == "number" and (len(written) > MOST_DIGITS or _exponent(written) > LARGEST_EXPONENT):
            return invalid("This number is too long to keep.", "该数字过长，无法原样保存。", at=place)
    return invalid("The body holds NaN or Infinity, which JSON has not.", "请求内容含 NaN 或 Infinity，JSON 不允许。")


def _repetition_refused(text: str) -> FhirError:
    seen: set[str] = set()
    for place, kind, _ in places(text):
        if kind == "name":
            if place in seen:
                return invalid("This member is given twice.", "该成员重复出现。", at=place)
            seen.add(place)
    return invalid("A member is given twice.", "有成员重复出现。")


def _refuse_characters(text: str) -> None:
    for place, kind, written in places(text):
        if kind in ("name", "string") and "\\" in written and _FORBIDDEN.search(json.loads(written)):
            raise invalid(
                "This text holds a control character or half a surrogate pair.",
                "该文本含控制字符或不完整的代理对。",
                at=place,
            )


def encode(tree: Any) -> str:
    """Write a tree as JSON, a Decimal with the digits it has."""
    return _encoder.encode(tree).decode()


def entries_text(bundle_text: str) -> list[str | None]:
    """The raw text of each entry's resource of a Bundle; None where an entry has none."""
    return [bytes(entry.resource).decode() or None for entry in _bundle_of(bundle_text).entry]


def splice(
    text: str,
    *,
    id: str,
    version: str,
    last_updated: str,
    append: Mapping[str, Sequence[Any]] | None = None,
    members: Mapping[str, Any] | None = None,
    references: Mapping[str, str] | None = None,
) -> str:
    """The text to store: as received, but for id, version, time, server-owned members and resolved references."""
    parts: dict[str, Any] = _members_of(text)
    for name, value in (members or {}).items():
        if value is None:
            parts.pop(name, None)
        else:
            parts[name] = _encoder.encode(value)
    for name, items in (append or {}).items():
        if items:
            parts[name] = _appended(parts.get(name, b"[]"), items)
    meta: dict[str, Any] = _members_of(parts["meta"]) if "meta" in parts else {}
    meta["versionId"], meta["lastUpdated"] = _encoder.encode(version), _encoder.encode(last_updated)
    parts = _after(parts, "resourceType", "id", _encoder.encode(id))
    parts = _after(parts, "id", "meta", _object_of(meta))
    stored = _object_of(parts).decode()
    return _resolved(stored, references) if references else stored


def _appended(listed: Any, items: Sequence[Any]) -> bytes:
    return b"[" + b",".join([*map(bytes, _items_of(listed)), *map(_encoder.encode, items)]) + b"]"


def _after(parts: dict[str, Any], before: str, name: str, value: bytes) -> dict[str, Any]:
    """Set a member where it stands, or else right after another one."""
    if name in parts or before not in parts:
        parts[name] = value
        return parts
    placed: dict[str, Any] = {}
    for key, text in parts.items():
        placed[key] = text
        if key == before:
            placed[name] = value
    return placed


def _object_of(parts: Mapping[str, Any]) -> bytes:
    """An object of raw values (anything with a buffer)."""
    encode_name = _encoder.encode
    return b"{" + b",".join([b"%b:%b" % (encode_name(name), raw) for name, raw in parts.items()]) + b"}"


def _resolved(text: str, references: Mapping[str, str]) -> str:
    # A quote inside a JSON string is always escaped, so an unescaped `"reference"` before a colon is a member name.
    def replace(match: re.Match[str]) -> str:
        new = references.get(json.loads(match[2]))
        return match[0] if new is None else match[1] + encode(new)

    return _REFERENCE.sub(replace, text)
