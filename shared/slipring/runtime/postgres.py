"""The embedded PostgreSQL of a newcomer: started once, shared by every process that names its data directory.

Only official binaries are run, with settings a hospital would want too: checksums, fsync, no TCP. The server outlives
the process that started it; the next one finds it and goes on. In real use SLIPRING_DATABASE_URL names another server.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shlex
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

from slipring.runtime.postgres_account import Account, PostgresUnavailable, choose_account, find_binaries

__all__ = ["PostgresUnavailable", "default_data_dir", "ensure_running", "is_running", "stop"]

NAME = "slipring"
PORT = "5432"  # names the socket file; nothing listens on TCP
START_SECONDS = 60
LONGEST_SOCKET = 107 - 1 - len(f"/.s.PGSQL.{PORT}.lock")

# Statements and details stay out of the log: they would carry patient data.
SETTINGS = """
# --- slipring ---
listen_addresses = ''
unix_socket_permissions = 0700
max_connections = 200
shared_buffers = 128MB
fsync = on
synchronous_commit = on
full_page_writes = on
jit = off
timezone = 'UTC'
log_timezone = 'UTC'
logging_collector = on
log_filename = 'postgresql-%a.log'
log_rotation_age = 1d
log_truncate_on_rotation = on
log_error_verbosity = terse
log_min_error_statement = panic
"""


def default_data_dir() -> Path:
    """`$XDG_DATA_HOME/slipring`; without that variable `~/.local/share/slipring`."""
    home = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path(home) / "slipring"


def data_directory(given: Path | None = None) -> Path:
    """Where keys and the embedded database lie: as given, SLIPRING_DATA_DIR, or the user's data folder."""
    named = os.environ.get("SLIPRING_DATA_DIR")
    return given or (Path(named) if named else default_data_dir())


def ensure_running(data_dir: Path) -> str:
    """Start the server of this data directory unless it runs, and give the address of its database."""
    with _Cluster.locked(data_dir) as cluster:
        cluster.create_unless_there()
        cluster.start_unless_running()
        return cluster.dsn


def is_running(data_dir: Path) -> bool:
    """Does the server of this data directory accept connections?"""
    if not data_dir.exists():
        return False
    with _Cluster.locked(data_dir) as cluster:
        return cluster.folder.exists() and cluster.answer() == 0


def stop(data_dir: Path) -> None:
    """Stop the server of this data directory, if it runs; connections are ended, nothing committed is lost."""
    if not data_dir.exists():
        return
    with _Cluster.locked(data_dir) as cluster:
        cluster.stop()


class _Cluster:
    """One data directory with the account and the binaries that serve it; used under its lock only."""

    def __init__(self, data_dir: Path) -> None:
        self.data_dir = data_dir
        self.folder = data_dir / "postgres"
        self.account: Account = choose_account()
        self.binaries = find_binaries(self.account, data_dir)
        beside = data_dir / "socket"
        if len(os.fsencode(beside)) > LONGEST_SOCKET or not self.account.reaches(data_dir):
            name = hashlib.sha256(f"{self.account.uid} {data_dir}".encode()).hexdigest()[:12]
            beside = Path(f"/tmp/{NAME}-{name}")  # noqa: S108 - private, and its owner is checked
        self.socket_dir = beside

    @classmethod
    @contextmanager
    def locked(cls, data_dir: Path) -> Iterator[_Cluster]:
        """The cluster, while no other process may start or stop it."""
        # 0711 for root: the account of the server must be able to pass through; everything inside is private.
        data_dir.mkdir(mode=0o711 if os.geteuid() == 0 else 0o700, parents=True, exist_ok=True)
        data_dir = data_dir.resolve()
        with (data_dir / "postgres.lock").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield cls(data_dir)

    @property
    def dsn(self) -> str:
        """The address of the database, over the socket."""
        return f"postgresql://{NAME}@/{NAME}?host={quote(str(self.socket_dir))}&port={PORT}"

    def create_unless_there(self) -> None:
        """Make the cluster under another name and rename it when complete: a crash leaves nothing half made."""
        if self.folder.exists():
            return
        staging = self.data_dir / "postgres.new"
        shutil.rmtree(staging, ignore_errors=True)
        self.account.make_private(staging)
        self._as_server(
            staging, "initdb", "--username", NAME, "--encoding=UTF8", "--locale=C", "--data-checksums",
            "--auth=trust", "-D", "{}",
        )  # fmt: skip
        with (staging / "postgresql.conf").open("a", encoding="utf-8") as file:
            file.write(SETTINGS)
        _sync(staging / "postgresql.conf")
        self._as_server(staging, "postgres", "--single", "-D", "{}", "postgres", stdin=f"CREATE DATABASE {NAME};\n")
        staging.rename(self.folder)
        _sync(self.data_dir)

    def answer(self) -> int:
        """0 accepts connections, 1 refuses them for the moment (starting up), 2 nobody is there."""
        probe = self.account.run(self.binaries / "pg_isready", "-q", "-h", self.socket_dir, "-p", PORT, "-t", "3")
        return probe.returncode

    def start_unless_running(self) -> None:
        """Ask the server itself first: a postmaster.pid proves nothing after a kill -9."""
        if self.answer() == 2:  # nobody is there
            self._clear_the_dead()
            self.account.make_private(self.socket_dir)
            (self.folder / "start.log").unlink(missing_ok=True)
            options = f"-k {shlex.quote(str(self.socket_dir))} -p {PORT}"
            self._as_server(
                self.folder, "pg_ctl", "start", "-w", "-t", str(START_SECONDS), "-D", "{}",
                "-l", "{}/start.log", "-o", options, capture=False,
            )  # fmt: skip
        deadline = time.monotonic() + START_SECONDS
        while self.answer() != 0:
            if time.monotonic() > deadline:
                raise PostgresUnavailable(f"PostgreSQL in {self.folder} did not accept connections in time.")
            time.sleep(0.1)

    def stop(self) -> None:
        """Shut down cleanly and leave no socket folder behind."""
        if not self.folder.exists() or (self.answer() == 2 and not self._processes()):
            return
        self._as_server(self.folder, "pg_ctl", "stop", "-m", "fast", "-w", "-D", "{}")
        if self.socket_dir.parent != self.data_dir and self.socket_dir.exists():
            self.socket_dir.rmdir()

    def _clear_the_dead(self) -> None:
        """Make way for a start: no server behind a lost socket, no orphans of a killed one, no recycled process id.

        A killed server may stay a zombie (a container without an init process); PostgreSQL takes it for alive.
        """
        if not Path("/proc/self/stat").exists():  # not Linux: PostgreSQL's own checks have to do
            return
        pid_file = self.folder / "postmaster.pid"
        written = pid_file.read_text().split("\n", 1)[0] if pid_file.exists() else ""
        if written.strip().isdigit() and int(written) in self._processes():
            self._as_server(self.folder, "pg_ctl", "stop", "-m", "fast", "-w", "-D", "{}")
            return
        deadline = time.monotonic() + 10
        while self._processes() and time.monotonic() < deadline:  # they notice the loss of their parent by themselves
            time.sleep(0.05)
        if not self._processes():
            pid_file.unlink(missing_ok=True)
            for left_over in self.socket_dir.glob(".s.PGSQL.*"):
                left_over.unlink()

    def _processes(self) -> list[int]:
        """The server processes of this cluster: each has the cluster as its working directory."""
        found = []
        for entry in Path("/proc").glob("[0-9]*"):
            try:
                working_in = (entry / "cwd").readlink()
            except OSError:  # gone, or another user's
                continue
            if working_in == self.folder:
                found.append(int(entry.name))
        return found

    def _as_server(
        self, cluster: Path, program: str, *arguments: str, stdin: str | None = None, capture: bool = True
    ) -> None:
        """Run a program of PostgreSQL as its account; `{}` in the arguments stands for the cluster's folder."""
        reachable = self.account.reaches(self.data_dir)
        # An open descriptor leads into a folder whose parents the account may not enter (/root is such a parent).
        descriptor = os.open(cluster, os.O_RDONLY | os.O_DIRECTORY)
        try:
            place = str(cluster) if reachable else f"/proc/self/fd/{descriptor}"
            done = self.account.run(
                self.binaries / program,
                *(argument.replace("{}", place) for argument in arguments),
                stdin=stdin,
                keep=() if reachable else (descriptor,),
                capture=capture,
            )
        finally:
            os.close(descriptor)
        if done.returncode != 0:
            log = cluster / "start.log"
            said = (done.stderr or "") + (log.read_text(errors="replace") if log.exists() else "")
            raise PostgresUnavailable(f"{program} failed in {cluster} ({done.returncode}): {said.strip()[-2000:]}")


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
