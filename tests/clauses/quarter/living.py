"""The quarter as it is lived: exams in sessions, each carried through the API from its request to the handing out of its report."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from slipring.signing.jws import jws_sha256
from slipring_demo.contrast import a_consent, a_screening, an_injection
from slipring_demo.scene import Cast
from slipring_demo.story import made_by

from tests.support.department import Department
from tests.support.one_exam import OneExam, on_the_shelf

from . import papers
from .loading import loaded
from .standing import STAFF

Tree = dict[str, Any]


@dataclass
class Exam(OneExam):
    """One exam of the quarter."""

    kind: papers.Kind = papers.KINDS["head"]
    priority: str = "routine"
    report: str = ""
    given: str = ""  # MedicationAdministration/...

    async def operated(self, name: str, **values: Any) -> Tree:
        """An operation on the exam's Task."""
        return await self.called(f"{self.at}/${name}", **values)

    @property
    def at(self) -> str:
        """The exam's Task."""
        return self._task

    _task: str = ""

    async def asked_for(self) -> None:
        """The HIS asks; the rules find it complete and justified."""
        self.cast.request = await self.made(papers.request(self.cast, self.kind, self.priority))
        task = await self.task()
        self._task = f"Task/{task['id']}"
        assert task["businessStatus"]["coding"][0]["code"] == "justified", task

    async def begun(self) -> None:
        """Registered, identity and item and parameters confirmed, started."""
        by = {"performer": ("Reference", self.cast.person("technologist"))}
        number = {name: self.cast.patient["identifier"][0][name] for name in ("system", "value")}
        shown = {"identifier": ("Identifier", number), "birthDate": ("Date", self.cast.patient["birthDate"])}
        await self.operated("arrive", **shown, **by)
        await self.operated("check", item=("Code", "identity-confirmed"), **shown, **by)
        for item in ("item-confirmed", "parameters-set"):
            await self.operated("check", item=("Code", item), **by)
        await self.operated("start", **by)

    async def permitted(self) -> None:
        """Screened and consented."""
        await self.made(a_screening(self.cast))
        await self.made(a_consent(self.cast))

    async def contrast(self) -> None:
        """Contrast is given and the patient observed from then on."""
        answer = await self.department.post("MedicationAdministration", an_injection(self.cast))
        assert answer.status_code == 201, answer.text
        done = await self.department.put(answer.json() | {"status": "completed"})
        assert done.status_code == 200, done.text
        self.given = f"MedicationAdministration/{done.json()['id']}"

    async def finished(self) -> None:
        """The scan is done."""
        await self.operated("finish", performer=("Reference", self.cast.person("technologist")))

    async def released(self) -> None:
        """The nurse releases the patient from observation."""
        [watch] = await self.department.found(f"Task?code=observation&focus={self.given}")
        by = ("Reference", self.cast.person("nurse"))
        await self.called(f"Task/{watch['id']}/$release", by=by, cannulaRemoved=("Boolean", True))

    async def drafted(self) -> str:
        """The first reader's draft."""
        answer = await self.department.post("", papers.draft(self.cast, self.kind))
        assert answer.status_code == 200, answer.text
        self.report = made_by(answer.json())[0]
        return self.report

    async def signed_by_two(self, first: str = "first reader", second: str = "second reader") -> None:
        """Two people sign, the second over the first."""
        author = await self.jws(self.report, first, "author")
        for jws, role in ((author, "author"), (None, "reviewer")):
            made = jws or await self.jws(self.report, second, "reviewer", jws_sha256(author))
            answer = await self.signed(self.report, made, role)
            assert answer.is_success, answer.text

    async def handed_out(self) -> None:
        """The patient gets the images on a disc."""
        [reading] = await self.department.found(f"Task?code=reading&focus={self.cast.exam}")
        said = {"medium": ("Code", "disc"), "to": ("Reference", {"display": "本人"})}
        by = ("Reference", self.cast.person("first reader"))
        await self.called(f"Task/{reading['id']}/$hand-out-images", by=by, **said)


@dataclass
class Quarter:
    """The department through the quarter, and the exams that were made in it."""

    department: Department
    at: dict[str, str]  # name -> reference of what stands
    exams: list[Exam] = field(default_factory=list)
    numbers: int = 0
    waiting: dict[tuple[str, str, str], list[Exam]] = field(default_factory=dict)
    records: dict[str, Any] = field(default_factory=dict)  # of a lived exam of each kind, for others like it

    def cast(self, patient: Tree | None = None) -> Cast:
        """The people, with a patient."""
        staff = {name: self.at[name] for name in self.at if name in STAFF}
        return Cast(
            staff=staff,
            hospital=self.at["hospital"],
            ward=self.at["ward"],
            patient=patient or {},
            now=self.department.clock.now,
        )

    async def until(self, day: int, hour: int = 1) -> None:
        """Let the time come: day 1 to 92 of the quarter, hour in UTC."""
        moment = datetime(2026, 7, 1, tzinfo=UTC) + timedelta(days=day - 1, hours=hour)
        self.department.clock.advance(moment - self.department.clock.now())
        await self.department.settle()

    async def patients(self, *kinds: str, known: bool = True, priority: str = "routine") -> list[Exam]:
        """Exams that were asked for and begun, now; `known`: with this morning's values of the patient."""
        exams = await self._patients(kinds, known=known)
        for one in exams:
            one.priority = priority
        await self._each(exams, "asked_for")
        await self.department.settle()
        await self._each(exams, "begun")
        return exams

    async def read(self, *kinds: str, priority: str = "routine") -> list[Exam]:
        """Exams that were made and whose report is a draft."""
        exams = await self.patients(*kinds, priority=priority)
        await self._each(exams, "finished")
        await self.department.settle()
        await self._each(exams, "drafted")
        await self.department.fresh()
        return exams

    async def next_of(self, how: str, kind: str, at_once: int, priority: str = "routine") -> Exam:
        """The next of some exams that are made together, as `patients` or as `read`."""
        waiting = self.waiting.setdefault((how, kind, priority), [])
        if not waiting:
            waiting += await getattr(self, how)(*[kind] * at_once, priority=priority)
        await self.department.fresh()  # since they were made the clock may have been moved
        return waiting.pop()

    async def session(self, day: int, kinds: Sequence[str]) -> list[Exam]:
        """Some exams of one day: names of papers.KINDS."""
        await self.until(day)
        exams = await self._patients(kinds)
        with_contrast = [one for one in exams if one.kind.contrast]
        await self._each(exams, "asked_for")
        await self.department.settle()
        await self._each(exams, "begun")
        if with_contrast:
            await self._each(with_contrast, "permitted")
            await self.department.fresh()
            await self._each(with_contrast, "contrast")
        await self._each(exams, "finished")
        *others, served = exams  # whose images nobody is given: the archive serves them
        images = [(f"{one.at} images", papers.images(one.cast, served=one is served)) for one in exams]
        await loaded(self.department, images)
        await self.department.settle()
        await self._each(exams, "drafted")
        await self.department.settle()
        await self._each(exams, "signed_by_two")
        await self._each(others, "handed_out")
        await self.department.wait(minutes=31)
        await self._each(with_contrast, "released")
        self.exams += exams
        return exams

    async def _patients(self, kinds: Sequence[str], *, known: bool = True) -> list[Exam]:
        people = [(f"patient {self.numbers + n}", papers.patient(self.numbers + n)) for n in range(len(kinds))]
        self.numbers += len(kinds)
        made = await loaded(self.department, people)
        exams = []
        lot = await on_the_shelf(self.department, self.cast())
        for (name, patient), kind in zip(people, kinds, strict=True):
            cast = self.cast(patient | {"id": made[name].partition("/")[2]})
            cast.lot = lot
            exams.append(Exam(self.department, cast, kind=(papers.KINDS | papers.FAULTY)[kind]))
        if known:
            told = [
                (f"{one.cast.patient['id']} {what}", paper) for one in exams for what, paper in papers.before(one.cast)
            ]
            await loaded(self.department, told)
        return exams

    async def _each(self, exams: Sequence[Exam], step: str) -> None:
        await asyncio.gather(*(getattr(one, step)() for one in exams))
