"""A message is written by hand: what was asked, answered, told the clinic or handed out stays as it was said."""

from __future__ import annotations

from slipring.fhir.outcome import unprocessable
from slipring.fhir.service import Changes, Desk, Write

from slipring_report.reading import code_of
from slipring_report.vocabulary import MESSAGE_CATEGORY

_AS_SAID = frozenset({"consultation", "discordance", "images-handed-out"})


async def message_written(write: Write, desk: Desk) -> Changes:
    """A message may come from elsewhere; one that is on record is altered by nobody, its question is answered by `$answer`."""
    del desk
    before = write.before.resource if write.before else {}
    kinds = {code_of(one, MESSAGE_CATEGORY) for one in before.get("category", [])}
    if kinds & _AS_SAID and not write.imported:
        raise unprocessable(
            "What was said stays as it was said; a question is answered by Communication/$answer.",
            "沟通记录不可更改；会诊问题请用 Communication/$answer 答复。",
            at="Communication.payload",
            detail="report.message-as-said",
        )
    return Changes.none()
