"""`slipring doctor`."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Annotated

import typer

from slipring.runtime.clock import utc_now
from slipring.runtime.postgres import data_directory
from slipring.runtime.settings import BadSettings, Settings
from slipring.upkeep.doctor.look import look
from slipring.upkeep.doctor.remark import Level, Remark, exit_code

_SIGNS = {Level.OK: "  ok", Level.UNSEEN: "   ?", Level.WARN: "   !", Level.BAD: "  !!"}


def doctor(
    data_dir: Annotated[
        Path | None, typer.Option("--data-dir", help="Where keys and the embedded database lie.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object instead of lines.")] = False,
) -> None:
    """Look at keys, clock, disk, database, delivery and defaults; 0 all well, 1 needs a look, 2 bad."""
    try:
        settings = Settings.from_env()
    except BadSettings as problem:
        typer.echo(str(problem), err=True)
        raise typer.Exit(2) from None
    remarks = asyncio.run(look(settings, data_directory(data_dir), utc_now()))
    code = exit_code(remarks)
    if as_json:
        typer.echo(json.dumps({"status": code, "remarks": [_tree(remark) for remark in remarks]}, ensure_ascii=False))
    else:
        for remark in remarks:
            for line in _lines(remark):
                typer.echo(line)
        typer.echo(
            ("一切正常。All is well.", "需要关注。Something needs a look.", "有严重问题。Something is bad.")[code]
        )
    raise typer.Exit(code)


def _lines(remark: Remark) -> list[str]:
    words = remark.words
    seen = ": ".join(part for part in (remark.about, remark.seen) if part)
    lines = [f"{_SIGNS[remark.level]}  {words['zh']} / {words['en']}" + (f" - {seen}" if seen else "")]
    if remark.level is not Level.OK:
        lines.append(f"        -> {words['fix_zh']} / {words['fix_en']}")
    return lines


def _tree(remark: Remark) -> dict[str, str]:
    return {
        "code": remark.code,
        "level": str(remark.level),
        "about": remark.about,
        "seen": remark.seen,
        **(remark.words if remark.level is not Level.OK else {k: remark.words[k] for k in ("zh", "en")}),
    }
