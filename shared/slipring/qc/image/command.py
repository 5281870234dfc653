"""`slipring qc analyse`: images of phantoms in, one JSON object and annotated pictures out."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from slipring.qc.image.analysis import analyse as analyse_slice
from slipring.qc.image.description import Description, described
from slipring.qc.image.lettering import written
from slipring.qc.image.limits.book import KINDS, Edition, editions
from slipring.qc.image.occasion import Occasion, baseline_of
from slipring.qc.image.outline import NoPhantom
from slipring.qc.image.picture import draw
from slipring.qc.image.reading import ImageRefused, read_slices
from slipring.qc.image.result import Flag
from slipring.qc.image.voice import Signs, Voice
from slipring.runtime.terminal import of_terminal

qc_commands = typer.Typer(
    name="qc", help="Quality control of the scanner: measure images of phantoms.", no_args_is_help=True
)
_PICTURES = "slipring-qc-pictures"
_GAVE_NOTHING = 1


@qc_commands.callback()
def _qc() -> None:
    """Quality control of the scanner."""


@qc_commands.command()
def analyse(
    paths: Annotated[list[Path], typer.Argument(help="DICOM CT images, or folders of them (a folder is one occasion)")],
    edition: Annotated[str, typer.Option(help="limits: " + ", ".join(editions()))] = "ws-519-2019",
    kind: Annotated[str, typer.Option(help="of test: " + ", ".join(KINDS))] = "constancy",
    baseline: Annotated[Path | None, typer.Option(help="JSON: values, or what an earlier analysis printed")] = None,
    pictures: Annotated[Path | None, typer.Option(help=f"folder for the pictures; default ./{_PICTURES}")] = None,
    no_pictures: Annotated[bool, typer.Option("--no-pictures", help="draw none")] = False,
    on: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="day of the limits; default today")] = None,
    ramps: Annotated[
        float | None, typer.Option(min=5, max=75, help="degrees that the phantom's ramps rise; 23 when left out")
    ] = None,
    language: Annotated[
        str, typer.Option(help="of texts and pictures: zh or en; that of the terminal when left out")
    ] = "",
) -> None:
    """Measure images of CT phantoms: one JSON object, an entry for each file or folder.

    Exit codes: 0 every image was measured (whatever the verdicts are); 1 some were not, each named with its reason on
    standard error and under `refused`; 2 wrong use, or nothing to read.
    """
    if language not in ("", "zh", "en"):
        raise typer.BadParameter("must be zh or en", param_hint="--language")
    voice = Voice(language or of_terminal())
    if edition not in editions():
        voice.stop("no-edition", name=edition, all=", ".join(editions()))
    if kind not in KINDS:
        voice.stop("no-kind", name=kind, all=", ".join(KINDS))
    told = _read_baseline(baseline, voice)
    description = described() if ramps is None else described().with_ramps(ramps)
    folder = None if no_pictures else _picture_folder(pictures, paths, voice)
    occasions, lost = _occasions(paths, voice)
    if not occasions:
        voice.stop("nothing")
    if folder is not None and written(voice.language) != voice.language:
        voice.say("no-font")
    day = on.date() if on else datetime.now(UTC).date()
    answer: dict[str, Any] = {}
    signs = Signs(sum(len(files) for files in occasions.values()), voice)
    for name, files in occasions.items():
        occasion = _measured(name, files, description, signs, voice)
        lost += len(occasion.refused)
        known = baseline_of(told, name) if told is not None else None
        _draw(occasion, editions()[edition], kind, day, known, folder, voice)
        answer[name] = occasion.as_tree(editions()[edition], kind, day, known, voice.language)
    typer.echo(json.dumps(answer, ensure_ascii=False, indent=1, allow_nan=False))
    if lost:
        raise typer.Exit(_GAVE_NOTHING)


def _occasions(paths: list[Path], voice: Voice) -> tuple[dict[str, list[Path]], int]:
    """Name to files: a file by its name, a folder with all that lies directly in it; folders below are their own."""
    found: dict[str, list[Path]] = {}
    lost = 0
    for path in paths:
        if path.is_dir():
            for folder in sorted({file.parent for file in _files(path)}):
                inner = folder.relative_to(path)
                name = path.resolve().name if inner == Path() else f"{path.resolve().name}/{inner.as_posix()}"
                found[_free(name, folder, found)] = [file for file in _files(path) if file.parent == folder]
        elif path.is_file():
            found[_free(path.name, path, found)] = [path]
        else:
            lost += 1
            voice.say("not-there", path=path)
    return found, lost


def _free(name: str, path: Path, taken: Mapping[str, Any]) -> str:
    return name if name not in taken else str(path)


def _files(folder: Path) -> list[Path]:
    """What may be an image: hidden files, DICOMDIR and what says by its name that it is something else stay out."""
    other = {".json", ".txt", ".md", ".png", ".jpg", ".csv", ".pdf", ".xml", ".html", ".zip", ".toml", ".py"}
    return sorted(
        file
        for file in folder.rglob("*")
        if file.is_file()
        and not file.name.startswith(".")
        and file.name.upper() != "DICOMDIR"
        and file.suffix.lower() not in other
    )


def _measured(name: str, files: list[Path], description: Description, signs: Signs, voice: Voice) -> Occasion:
    occasion = Occasion(name)
    for file in files:
        signs.one()
        try:
            slices = list(read_slices(file))
        except ImageRefused as problem:
            _refuse(occasion, file.name, problem, voice)
            continue
        for number, image in enumerate(slices, 1):
            label = file.name if len(slices) == 1 else f"{file.name}#{number}"
            try:
                occasion.images[label] = analyse_slice(image, description)
            except NoPhantom as problem:
                _refuse(occasion, label, problem, voice)
    return occasion


def _refuse(occasion: Occasion, label: str, problem: ImageRefused | NoPhantom, voice: Voice) -> None:
    flag = occasion.refused[label] = Flag(problem.code, str(problem), problem.zh)
    voice.say("refused", label=label, text=flag.said(voice.language), code=flag.code)


def _read_baseline(file: Path | None, voice: Voice) -> dict[str, Any] | None:
    if file is None:
        return None
    try:
        tree = json.loads(file.read_text("utf-8-sig"))
    except (OSError, ValueError) as problem:
        voice.stop("baseline-unread", file=file, kind=type(problem).__name__)
    if not isinstance(tree, dict):
        voice.stop("baseline-no-object", file=file)
    return tree


def _picture_folder(asked: Path | None, paths: list[Path], voice: Voice) -> Path | None:
    """Never among the images: they would be read as such the next time."""
    folder = (asked or Path(_PICTURES)).resolve()
    inputs = [path.resolve() for path in paths if path.is_dir()]
    if any(folder == one or one in folder.parents for one in inputs):
        if asked is not None:
            voice.stop("among-images", path=asked)
        voice.say("no-pictures")
        return None
    return folder


def _draw(
    occasion: Occasion,
    edition: Edition,
    kind: str,
    day: date,
    baseline: Mapping[str, float] | None,
    folder: Path | None,
    voice: Voice,
) -> None:
    """A picture of each image that shows a phantom; none of what may be a patient."""
    if folder is None:
        return
    for label, image in occasion.images.items():
        alone = Occasion(label, {label: image})
        file = folder / (
            re.sub(r"[^\w.-]+", "_", f"{occasion.name}-{label}" if label != occasion.name else label) + ".png"
        )
        try:
            folder.mkdir(parents=True, exist_ok=True)
            draw(image, alone.verdicts(edition, kind, day, baseline), label, file, voice.language)
        except OSError as problem:
            voice.stop("pictures-unwritten", folder=folder, kind=problem.strerror)
        occasion.pictures[label] = str(file)
