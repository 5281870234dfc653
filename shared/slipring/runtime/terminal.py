"""What the terminal of a command says about who sits at it."""

from __future__ import annotations

import os


def of_terminal() -> str:
    """The language that the terminal is set to: zh or en."""
    said = next((os.environ[name] for name in ("LC_ALL", "LC_MESSAGES", "LANG") if os.environ.get(name)), "")
    return "zh" if said.lower().startswith("zh") else "en"
