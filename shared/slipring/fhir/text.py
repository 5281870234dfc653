"""Received JSON text: read strictly, and change only the places the server owns.

What was received is what is served: numbers, escapes and the order of members stay as they were written, so a
stored resource is the received text with a few places spliced, never a re-dump of a tree.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from slipring.fhir.literals import URI_ELEMENTS, relinked
from slipring.fhir.strict import Number, parse
from slipring.fhir.tokens import tokens

__all__ = ["encode", "entries_text", "parse", "patched_text", "pretty", "splice", "tokens", "with_inner"]

_LITERAL = re.compile(rf'(?<!\\)("({"|".join(sorted(URI_ELEMENTS))}|div)"[ \t\r\n]*:[ \t\r\n]*)("(?:[^"\\]|\\.)*")')


def _number(value: Any) -> msgspec.Raw:
    if isinstance(value, Number):
        return msgspec.Raw(value.written.encode())
    raise TypeError(f"{type(value).__name__} is no JSON")


_encoder = msgspec.json.Encoder(decimal_format="number")
_exact_encoder = msgspec.json.Encoder(enc_hook=_number)
_as_written = _exact_encoder.encode
_members_of = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_items_of = msgspec.json.Decoder(list[msgspec.Raw]).decode


class _Entry(msgspec.Struct):
    resource: msgspec.Raw = msgspec.Raw()


class _Bundle(msgspec.Struct):
    entry: list[_Entry] = []


_bundle_of = msgspec.json.Decoder(_Bundle).decode


def encode(tree: Any) -> str:
    """Write a tree as JSON, a Decimal with the digits it has."""
    return _encoder.encode(tree).decode()


def patched_text(text: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> str:
    """The text of `after`: members that did not change since `before` stay as `text` has them, all numbers as written.

    Both trees come from `parse_as_written`, so that 1.50 and 1.5 differ.
    """
    standing = _members_of(text)
    written = {name: _as_written(value) for name, value in after.items()}
    unchanged = {name for name in after if name in before and _as_written(before[name]) == written[name]}
    return _object_of({name: standing[name] if name in unchanged else raw for name, raw in written.items()}).decode()


def as_written(tree: Any) -> str:
    """Write a tree of `parse_as_written` as JSON, each number with its own characters."""
    return _as_written(tree).decode()


def pretty(text: str) -> str:
    """The same tokens with line breaks and two spaces a level; no character of a token changes."""
    return msgspec.json.format(text, indent=2) + "\n"


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


def with_inner(text: str, path: Sequence[str], value: Any) -> str:
    """The text of an object with one member inside it replaced; everything else keeps its characters."""
    name, *rest = path
    parts: dict[str, Any] = _members_of(text)
    parts[name] = with_inner(bytes(parts[name]).decode(), rest, value).encode() if rest else _encoder.encode(value)
    return _object_of(parts).decode()


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
        value = json.loads(match[3])
        new = relinked(value, references) if match[2] == "div" else references.get(value, value)
        return match[0] if new == value else match[1] + encode(new)

    return _LITERAL.sub(replace, text)
