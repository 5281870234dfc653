"""A report is signed while somebody else signs it, while its signer is suspended, or while it is taken back."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from typing import Any

from slipring.identity.clients import DEMO_DEPARTMENT
from slipring.identity.scopes import LOADING
from slipring.signing.certificate import issue, make_authority, make_key_and_csr
from slipring.signing.jws import jws_sha256, sign_payload
from slipring_demo.cast import STAFF, role
from slipring_demo.reading import a_draft
from slipring_demo.story import made_by
from slipring_demo.teller import parameters, value_of

from tests.races.race import LANES, ROUNDS, Done, Tally, in_lanes, race, sound
from tests.races.room import arrived, done, pool, put, way
from tests.support.department import Department
from tests.support.one_exam import OneExam, one_exam

Tree = dict[str, Any]
_SPAN = 0.15  # seconds that a signature takes with four lanes at work


@dataclass
class Desk:
    """One exam's reports, and people who keep their keys."""

    story: OneExam
    keys: dict[str, tuple[bytes, bytes]] = field(default_factory=dict)

    async def drafted(self) -> str:
        """A draft, ready to be signed."""
        answer = await self.story.department.post("", a_draft(self.story.cast))
        assert answer.status_code == 200, answer.text
        return str(made_by(answer.json())[0])

    def jws(self, payload: bytes, who: str, role: str, previous: str = "") -> str:
        """A person's signature."""
        now = self.story.department.clock.now()
        if who not in self.keys:
            authority = make_authority(self.story.department.data_dir / "signing", now=now)
            key, csr = make_key_and_csr(who)
            self.keys[who] = key, issue(authority, csr, self.story.cast.staff[who], who, now=now)
        key, chain = self.keys[who]
        return sign_payload(payload, key, chain, role, previous, now)

    async def payload(self, report: str) -> bytes:
        """What is to be signed."""
        asked = await self.story.called(f"{report}/$signing-input", role=("Code", "author"))
        return base64.b64decode(value_of(asked, "payload"))

    async def unsigned(self) -> tuple[str, str]:
        """A draft and its author's signature, not handed in yet."""
        report = await self.drafted()
        await self.story.stood_for(report)
        return report, self.jws(await self.payload(report), "first reader", "author")

    async def signed(self, report: str, jws: str, role: str) -> Done:
        """Hand a signature in; its record when it was taken."""
        answer = await self.story.department.post(
            f"{report}/$sign", parameters(jws=("String", jws), role=("Code", role))
        )
        assert answer.status_code in (200, 409, 422, 503), answer.text
        return Done((value_of(answer.json(), "provenance")["reference"], 1) if answer.status_code == 200 else None)


async def _desk(department: Department) -> Desk:
    story = await one_exam(department)
    await story.requested()
    return Desk(story)


async def test_of_two_reviewers_at_once_one_is_the_second_signature(department: Department) -> None:
    desk = await _desk(department)
    cast = desk.story.cast
    async with department.client(DEMO_DEPARTMENT, LOADING) as loading:  # his competence comes in as history
        answer = await department.post("Practitioner", STAFF["second reader"][0], loading)
    cast.staff["third reader"] = f"Practitioner/{answer.raise_for_status().json()['id']}"
    await desk.story.made(role(cast.staff["third reader"], cast.hospital, *STAFF["second reader"][1]))
    await department.settle()
    one_of_both(await in_lanes(lambda _: _two_reviewers(desk)))


async def _two_reviewers(desk: Desk) -> Tally:
    drafts: list[tuple[str, str, str]] = []

    async def begun() -> None:
        report = await desk.drafted()
        await desk.story.stood_for(report)
        payload = await desk.payload(report)
        first = desk.jws(payload, "first reader", "author")
        assert (await desk.signed(report, first, "author")).written
        second, third = (
            desk.jws(payload, who, "reviewer", jws_sha256(first)) for who in ("second reader", "third reader")
        )
        drafts.append((report, second, third))

    async def again(_: int) -> None:
        report = drafts[-1][0]
        assert (await desk.story.department.get(report))["status"] == "final"
        records = await desk.story.department.found(f"Provenance?target={report}&_count=100")
        assert len(records) == 2, "one author, one reviewer"
        await begun()

    async def second(_: int) -> Done:
        return await desk.signed(drafts[-1][0], drafts[-1][1], "reviewer")

    async def third(_: int) -> Done:
        return await desk.signed(drafts[-1][0], drafts[-1][2], "reviewer")

    await begun()
    reports, rounds = pool(desk.story.department, "report"), ROUNDS // LANES
    return await race("two reviewers", reports, second, third, again, rounds=rounds, span=_SPAN)


async def test_nobody_signs_once_it_is_known_that_he_was_suspended(department: Department) -> None:
    desks = [await _desk(department) for _ in range(LANES)]
    lag = await way(department, "report", await department.get(desks[0].story.cast.staff["first reader"]))
    sound(await in_lanes(lambda number: _signer_suspended(desks[number], lag)))


async def _signer_suspended(desk: Desk, lag: float) -> Tally:
    department = desk.story.department
    reader = await department.get(desk.story.cast.staff["first reader"])
    drafts = [await desk.unsigned()]

    async def suspended(_: int) -> Done:
        return await arrived(department, "report", await put(department, reader | {"active": False}))

    async def signed(_: int) -> Done:
        return await desk.signed(*drafts[-1], "author")

    async def again(_: int) -> None:
        await arrived(department, "report", await put(department, reader))
        if (await department.get(drafts[-1][0]))["status"] != "partial":
            drafts.append(await desk.unsigned())

    reports, rounds = pool(department, "report"), ROUNDS // LANES
    return await race("signer's copy", reports, signed, suspended, again, rounds=rounds, span=_SPAN, lag=lag)


async def test_no_draft_is_signed_after_it_was_taken_back(department: Department) -> None:
    desk = await _desk(department)
    one_of_both(await in_lanes(lambda _: _taken_back(desk)))


async def _taken_back(desk: Desk) -> Tally:
    department, drafts = desk.story.department, [await desk.unsigned()]

    async def signed(_: int) -> Done:
        return await desk.signed(*drafts[-1], "author")

    async def cancelled(_: int) -> Done:
        draft = await department.get(drafts[-1][0])
        answer = await department.put(draft | {"status": "cancelled"}, If_Match=f'W/"{draft["meta"]["versionId"]}"')
        assert answer.status_code in (200, 409, 412, 422, 503), answer.text
        return done(answer.json()) if answer.status_code == 200 else Done(None)

    async def again(_: int) -> None:
        drafts.append(await desk.unsigned())

    reports, rounds = pool(department, "report"), ROUNDS // LANES
    return await race("draft taken back", reports, signed, cancelled, again, rounds=rounds, span=_SPAN)


async def test_no_review_is_taken_on_a_report_that_its_author_is_changing(department: Department) -> None:
    """Either the reviewer releases what he has read, and the change is refused, or it is a draft again without him."""
    desk = await _desk(department)
    one_of_both(await in_lanes(lambda _: _changed_meanwhile(desk)))


async def _changed_meanwhile(desk: Desk) -> Tally:
    department, drafts = desk.story.department, list[tuple[str, str]]()

    async def begun() -> None:
        report = await desk.drafted()
        await desk.story.stood_for(report)
        payload = await desk.payload(report)
        first = desk.jws(payload, "first reader", "author")
        assert (await desk.signed(report, first, "author")).written
        drafts.append((report, desk.jws(payload, "second reader", "reviewer", jws_sha256(first))))

    async def reviewed(_: int) -> Done:
        return await desk.signed(*drafts[-1], "reviewer")

    async def changed(number: int) -> Done:
        draft = await department.get(drafts[-1][0])
        answer = await department.put(
            draft | {"conclusion": f"Text {number}."}, If_Match=f'W/"{draft["meta"]["versionId"]}"'
        )
        assert answer.status_code in (200, 409, 412, 422, 503), answer.text
        return done(answer.json()) if answer.status_code == 200 else Done(None)

    async def again(_: int) -> None:
        report = await department.get(drafts[-1][0])
        assert report["status"] in ("final", "partial", "preliminary")
        if report["status"] == "final":
            assert not report["conclusion"].startswith("Text"), "released is what the reviewer has read"
        await begun()

    await begun()
    reports, rounds = pool(department, "report"), ROUNDS // LANES
    return await race("report changed", reports, reviewed, changed, again, rounds=rounds, span=_SPAN)


def one_of_both(tally: Tally) -> None:
    """Never both, and each of them came first at times."""
    assert not tally.wrong and not tally.passed_first, f"both were taken: {tally}"
    assert tally.refused and tally.change_refused, f"never met: {tally}"
