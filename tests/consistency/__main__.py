"""A long run by hand: `python -m tests.consistency SECONDS [SEED]`."""

from __future__ import annotations

import asyncio
import sys
import tempfile
from pathlib import Path

from slipring.runtime.postgres import stop

from tests.consistency.judging import judge
from tests.consistency.run import consistency


async def main(seconds: float, seed: int) -> int:
    """Run, print the figures and what is wrong; the number of faults is the exit code's sign."""
    with tempfile.TemporaryDirectory(prefix="slipring-consistency-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        try:
            run = await consistency(folder, seconds=seconds, seed=seed)
            found = await judge(run)
        finally:
            await asyncio.to_thread(stop, folder)
    print(dict(run.tally), f"longest silence {run.longest_silence():.1f} s")  # noqa: T201
    print("back after (s):", run.back_after())  # noqa: T201
    print("\n".join(found) or "nothing is wrong")  # noqa: T201
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main(float(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 1)))
