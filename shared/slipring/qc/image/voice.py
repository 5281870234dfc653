"""What the command says on standard error, in one language, and how it gives up."""

from __future__ import annotations

import time
from typing import Any, NoReturn

import typer

from slipring.qc.image.words import sentence

_BETWEEN_SIGNS_S = 2.0
_WRONG_USE = 2


class Voice:
    """Speaks `language`: zh or en."""

    def __init__(self, language: str) -> None:
        self.language = language

    def say(self, line: str, /, **values: Any) -> None:
        """One line of words.toml."""
        typer.echo(f"slipring: {sentence('message', line, self.language, **values)}", err=True)

    def stop(self, line: str, /, **values: Any) -> NoReturn:
        """Says it and ends with exit code 2."""
        self.say(line, **values)
        raise typer.Exit(_WRONG_USE)


class Signs:
    """Says how far a long run is."""

    def __init__(self, total: int, voice: Voice) -> None:
        self._total, self._done, self._said, self._voice = total, 0, time.monotonic(), voice

    def one(self) -> None:
        """Another image is begun."""
        if time.monotonic() - self._said > _BETWEEN_SIGNS_S:
            self._voice.say("so-far", done=self._done, total=self._total)
            self._said = time.monotonic()
        self._done += 1
