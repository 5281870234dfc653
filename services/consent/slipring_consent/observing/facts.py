"""What a release from observation says, and what stands against it. Pure values."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class ReleaseFacts:
    """A patient is about to leave observation; times are aware moments, words are for the refusal."""

    begun_at: datetime | None = None
    ends_at: datetime | None = None
    limit: str = "observation.minutes"  # which number set the deadline
    outcome: str = "released"
    outcome_known: bool = True
    early: bool = False  # this outcome may come before the time
    needs: str = ""  # what such an outcome must say: reason, physician or receiver
    named: bool = True
    unqualified_zh: str = ""
    unqualified_en: str = ""
    physician: bool = False  # who releases may decide as a physician
    reason_coded: bool = False
    receiver: bool = False
    open_reaction: bool = False
    recorded_late: bool = False
    signs_at_start: bool = True
    signs_at_end: bool = True
    cannula: str = "removed"  # removed | in-place | not-said

    @property
    def stays_here(self) -> bool:
        """Whether nobody goes on observing the patient elsewhere."""
        return self.outcome != "handed-over"
