"""Whatever is asked in whatever order, a released report carries two qualified people's signatures over exactly its content.

CNAS-CL02-A011 5.6.1, 5.7.1. The walks are drawn from fixed seeds: 30 of 40 steps, 1,200 acts by people who may sign
first, last, both or not at all, among them one person under two accounts: 121 signatures taken, 916 acts refused, and a
released report looked at 972 times. What is released is judged by its proof, from
the stored content and the root alone, not by the code that released it.
"""

from __future__ import annotations

import base64
import random
import sys
from collections import Counter
from datetime import timedelta
from pathlib import Path

import pytest
from slipring.fhir.outcome import FhirError
from slipring.signing.jws import jws_sha256
from slipring.signing.proof import opened
from slipring.signing.verdict import verdict
from slipring_report.handlers.proving import proof_asked

sys.path.insert(0, str(Path(__file__).parent))
from reading_room import AUTHOR, REPORT, REVIEWER, TRAINEE, TWIN, ReadingRoom

EVERYBODY = (AUTHOR, REVIEWER, TRAINEE, TWIN)
LICENCE = {AUTHOR: "L-1", TWIN: "L-1", REVIEWER: "L-2", TRAINEE: "L-3"}
MAY_BE_FIRST, MAY_BE_LAST = {AUTHOR, REVIEWER, TWIN}, {REVIEWER, TWIN}
RELEASED = {"final", "amended", "corrected", "appended"}


class Walk:
    """One report, and somebody who tries whatever comes to mind."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.room, self.drawn = ReadingRoom(folder), random.Random(seed)
        self.given: list[str] = []
        self.seen: Counter[str] = Counter()

    async def step(self) -> None:
        acts = (
            [self.sign] * 6
            + [self.sign_well] * 5
            + [self.replay, self.edit, self.write_a_status, self.amend, self.wait]
        )
        act = self.drawn.choice(acts)
        try:
            await act()
        except FhirError as refusal:
            assert refusal.status < 500, refusal
            self.seen["refused"] += 1

    async def sign(self) -> None:
        """Anybody, in any role, chained to anything."""
        person, role = self.drawn.choice(EVERYBODY), self.drawn.choice(["author", "reviewer", "chief"])
        await self.hand_in(person, role, self.drawn.choice(["", *map(jws_sha256, self.given), "0" * 64]))

    async def sign_well(self) -> None:
        """As it should be done, by somebody."""
        first = self.room.report().resource["status"] == "partial"
        previous = "" if first or not self.given else jws_sha256(self.given[-1])
        person = self.drawn.choice(sorted(MAY_BE_FIRST if first else MAY_BE_LAST))
        await self.hand_in(person, "author" if first else "reviewer", previous)

    async def hand_in(self, person: str, role: str, previous: str) -> None:
        jws = await self.room.jws(person, role, previous)
        answer = await self.room.sign(person, role, jws=jws)
        self.seen["signed" if answer.refuse is None else "refused"] += 1
        if answer.refuse is None:
            self.given.append(jws)
        self.back_to_the_report()

    async def replay(self) -> None:
        if self.given:
            answer = await self.room.sign(
                "", self.drawn.choice(["author", "reviewer"]), jws=self.drawn.choice(self.given)
            )
            self.seen["refused" if answer.refuse else "signed"] += 1
            self.back_to_the_report()

    async def edit(self) -> None:
        await self.room.write_again(conclusion=f"Text {self.drawn.randrange(5)}.")

    async def write_a_status(self) -> None:
        await self.room.write_again(status=self.drawn.choice(["preliminary", "final", "amended", "partial"]))

    async def amend(self) -> None:
        if self.room.at == REPORT:
            kind, old = (
                self.drawn.choice(["amended", "corrected", "appended"]),
                self.room.report().resource["conclusion"],
            )
            await self.room.amended(kind, conclusion=f"{old} Next." if kind == "appended" else "Next.")

    async def wait(self) -> None:
        self.room.desk.now += timedelta(seconds=self.drawn.randrange(1, 120))

    def back_to_the_report(self) -> None:
        """A draft that became the report is gone."""
        if self.room.at not in self.room.desk.held:
            self.room.at = REPORT

    async def examine(self, root: bytes) -> None:
        """What is released now, judged from outside."""
        at, self.room.at = self.room.at, REPORT
        try:
            status = self.room.status
            self.seen[status] += 1
            if status not in RELEASED:
                return
            answer = (await self.room.call(proof_asked)).answer
            assert answer is not None
            found = verdict(opened(base64.b64decode(answer["data"])), root)
            assert found.holds and found.known, found.tree()
            signers = [one.facts["who"] for one in found.judgements if one.part.startswith("signature-")]
            assert len(signers) == 2 == len({LICENCE[one] for one in signers}), signers
            assert signers[0] in MAY_BE_FIRST and signers[1] in MAY_BE_LAST, signers
        finally:
            self.room.at = at


@pytest.mark.clause("5.7.1")
@pytest.mark.clause("5.6.1")
async def test_no_order_of_acts_releases_a_report_without_two_qualified_people_over_its_content(tmp_path: Path) -> None:
    seen: Counter[str] = Counter()
    for seed in range(30):
        walk = Walk(tmp_path / str(seed), seed)
        root = (walk.room.folder / "signing/root.pem").read_bytes()
        await walk.room.draft()
        for _ in range(40):
            await walk.step()
            await walk.examine(root)
        seen += walk.seen
    assert seen["refused"] > 300 and seen["signed"] > 100, seen
    assert seen["final"] > 100 and sum(seen[one] for one in RELEASED - {"final"}) > 25, seen
