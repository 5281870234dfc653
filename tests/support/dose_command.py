"""`slipring dose` called as from a command line."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import typer
from slipring_order.dose.command import dose
from typer.testing import CliRunner

_APP = typer.Typer()
_APP.command()(dose)


def called(*given: Any) -> tuple[dict[str, Any], int, str]:
    """The JSON with exact decimals, the exit code, and what was said on stderr."""
    result = CliRunner().invoke(_APP, [str(each) for each in given])
    tree: dict[str, Any] = json.loads(result.stdout, parse_float=Decimal)
    return tree, result.exit_code, result.stderr
