"""A proof: one file that shows to anybody, without server or network, what was signed, by whom, and when.

The file is one RFC 8785 text: `format`, `manifest` (itself such a text: what the proof is about, when it was made, and for
each member its type, size and SHA-256), `seal` (the service's seal over the manifest, `slipring.signing.seal`) and
`members` (name -> base64). A file that is not written exactly so, byte for byte, is no proof: nothing in it can be
altered, added, left out or put in another order unseen. What the members mean is judged by the kind of the proof.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from slipring.signing.policy import Reason, reason
from slipring.signing.seal import canonical

FORMAT = "slipring-proof/1"
SEALED = "slipring-proof"  # the `typ` of the seal over the manifest
MEDIA_TYPE = "application/vnd.slipring.proof+json"
_NAMES = frozenset({"format", "manifest", "seal", "members"})


@dataclass(frozen=True, slots=True)
class Member:
    """One file of a proof."""

    name: str
    media_type: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Proof:
    """An opened proof: whole in itself, which says nothing yet of who made it."""

    kind: str
    about: str
    made: datetime
    manifest: bytes
    seal: str
    members: Mapping[str, bytes]


class ProofRefused(Exception):
    """A file that is no proof, or not a whole one; `code` is a key of proof_reasons.toml, `at` says where."""

    def __init__(self, code: str, at: str = "") -> None:
        super().__init__(code)
        self.code, self.at = code, at


def packed(
    kind: str, about: str, made: datetime, members: Sequence[Member], seal: Callable[[bytes, str], str]
) -> bytes:
    """The file; `about` is the reference without version, `seal` seals bytes as a kind of thing."""
    manifest = canonical(
        {
            "format": FORMAT,
            "kind": kind,
            "about": about,
            "made": made.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "members": {one.name: _described(one) for one in members},
        }
    )
    tree = {
        "format": FORMAT,
        "manifest": manifest.decode(),
        "seal": seal(manifest, SEALED),
        "members": {one.name: base64.b64encode(one.content).decode() for one in members},
    }
    return canonical(tree)


def opened(content: bytes) -> Proof:
    """The proof that a file holds. ProofRefused when it is none, or any byte of it was altered that its own hashes show."""
    tree = _tree(content, "")
    if set(tree) != _NAMES or tree["format"] != FORMAT:
        raise ProofRefused("proof-unknown")
    manifest = str(tree["manifest"]).encode()
    stated = _tree(manifest, "manifest")
    members = {name: _decoded(name, text) for name, text in _mapping(tree["members"]).items()}
    listed = _mapping(stated.get("members"))
    for name in sorted({*members, *listed}):
        if name not in members:
            raise ProofRefused("member-missing", name)
        if name not in listed:
            raise ProofRefused("member-unlisted", name)
        if listed[name].get("sha256") != hashlib.sha256(members[name]).hexdigest():
            raise ProofRefused("member-altered", name)
    try:
        made = datetime.fromisoformat(stated["made"])
        if made.tzinfo is None:
            raise ProofRefused("proof-unknown", "manifest")
        return Proof(str(stated["kind"]), str(stated["about"]), made, manifest, str(tree["seal"]), members)
    except (KeyError, ValueError, TypeError) as error:
        raise ProofRefused("proof-unknown", "manifest") from error


@cache
def _own_reasons() -> Mapping[str, Any]:
    return tomllib.loads(Path(__file__).with_name("proof_reasons.toml").read_text("utf-8"))


def proof_reason(code: str) -> Reason:
    """Why a proof or a part of one does not hold, in both languages; reasons against signatures are among them."""
    entry = _own_reasons().get(code)
    return Reason(code, entry["zh"], entry["en"]) if entry else reason(code)


def _described(member: Member) -> dict[str, Any]:
    digest = hashlib.sha256(member.content).hexdigest()
    return {"type": member.media_type, "size": len(member.content), "sha256": digest}


def _tree(content: bytes, at: str) -> dict[str, Any]:
    try:
        tree = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise ProofRefused("proof-unreadable", at) from error
    if not isinstance(tree, dict):
        raise ProofRefused("proof-unknown", at)
    if canonical(tree) != content:
        raise ProofRefused("proof-rewritten", at)
    return tree


def _mapping(value: Any) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise ProofRefused("proof-unknown")
    return value


def _decoded(name: str, text: Any) -> bytes:
    try:
        content = base64.b64decode(text, validate=True)
    except (binascii.Error, TypeError, ValueError) as error:
        raise ProofRefused("member-altered", name) from error
    if base64.b64encode(content).decode() != text:
        raise ProofRefused("member-altered", name)
    return content
