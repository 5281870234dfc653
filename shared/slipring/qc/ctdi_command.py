"""`slipring qc ctdiw`: chamber readings in, CTDIw with its verdict out."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from slipring.qc.equipment.ctdi import NoCtdi, ctdi_of_readings
from slipring.qc.image.command import qc_commands
from slipring.qc.image.limits.book import KINDS, editions
from slipring.qc.image.limits.verdict import Circumstances, verdicts

__all__ = ["qc_commands"]
_WRONG_USE = 2


@qc_commands.command()
def ctdiw(
    centre: Annotated[float, typer.Option(help="reading in the middle, mGy cm")],
    edge: Annotated[list[float], typer.Option(help="reading in a hole at the rim, mGy cm; four of them")],
    collimation: Annotated[float, typer.Option(help="N x T, mm")],
    factor: Annotated[float, typer.Option(help="calibration factor of the chamber")] = 1.0,
    phantom: Annotated[str, typer.Option(help="head (16 cm) or body (32 cm)")] = "head",
    manufacturer: Annotated[float | None, typer.Option(help="CTDIw that the manufacturer states, mGy")] = None,
    baseline: Annotated[float | None, typer.Option(help="CTDIw of the baseline, mGy")] = None,
    edition: Annotated[str, typer.Option(help="limits: " + ", ".join(editions()))] = "ws-519-2019",
    kind: Annotated[str, typer.Option(help="of test: " + ", ".join(KINDS))] = "constancy",
) -> None:
    """CTDIw of the readings of a 100 mm pencil chamber, as one JSON object with its verdict.

    Where the manufacturer states a value, acceptance and status tests are held against it, else against the fixed limit.
    Exit codes: 0 told, whatever the verdict is; 2 wrong use.
    """
    if edition not in editions() or kind not in KINDS or phantom not in ("head", "body"):
        typer.echo("slipring: no such edition, kind or phantom; see --help.", err=True)
        raise typer.Exit(_WRONG_USE)
    try:
        found = ctdi_of_readings(centre, edge, collimation, factor)
    except NoCtdi as problem:
        typer.echo(f"slipring: {problem}.", err=True)
        raise typer.Exit(_WRONG_USE) from problem
    # A status test has a limit of its own where the manufacturer states nothing.
    stated = manufacturer is not None and kind == "status"
    item = f"ctdiw_{phantom}" + ("_stated" if stated else "")
    seen = Circumstances(
        kind, datetime.now(UTC).date(), baseline=None if baseline is None else {item: baseline},
        nominal={item: manufacturer} if manufacturer is not None else None,
    )  # fmt: skip
    tree: dict[str, Any] = {
        "ctdiw_mgy": round(found.weighted_mgy, 4),
        "ctdi100_centre_mgy": round(found.centre_mgy, 4),
        "ctdi100_edges_mgy": [round(value, 4) for value in found.edges_mgy],
        "phantom": phantom,
        "verdicts": [
            one.as_tree(edition, kind) for one in verdicts({item: found.weighted_mgy}, editions()[edition], seen)
        ],
    }
    typer.echo(json.dumps(tree, ensure_ascii=False, indent=1, allow_nan=False))
