"""A consent text as it is kept, for a page to show its words in their order."""

from __future__ import annotations

import base64
from dataclasses import dataclass

from slipring.bedside.standing import ContrastExam
from slipring.department import names
from slipring.department.road import Hand
from slipring.fhir.outcome import not_found
from slipring.pages.blocks import Block, blocks


@dataclass(frozen=True, slots=True)
class Text:
    """A consent text: its words, its language, and the mark by which it is known."""

    blocks: list[Block]
    language: str
    sha256: str


async def text_of(hand: Hand, text_id: str, one: ContrastExam) -> Text | None:
    """The text with this id, if it is one for this exam."""
    if not names.ID.fullmatch(text_id):
        return None
    document = await hand.read(f"DocumentReference/{text_id}")
    related = [names.reference_in(each) for each in document.get("context", {}).get("related", [])]
    if f"ServiceRequest/{one.exam.id}" not in related:
        raise not_found("DocumentReference")
    attachment = document["content"][0]["attachment"]
    words = base64.b64decode(attachment.get("data", "")).decode("utf-8", "replace")
    marks = (str(each.get("valueString", "")) for each in attachment.get("extension", []) if "sha256" in each["url"])
    return Text(blocks(words), str(attachment.get("language", "")), next(marks, ""))
