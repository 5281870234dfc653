"""`slipring backup`: all schemas from one snapshot, the files of the data directory, and a manifest over both.

A backup gets its name when it is complete and on disk; what a killed run leaves is hidden, never looks like one and
is cleared by the next run.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import shutil
import tarfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from importlib.metadata import version
from pathlib import Path

import asyncpg

from slipring.upkeep.contents import LAST_BACKUP, SECRETS, quote, record_of, schemas_of
from slipring.upkeep.manifest import DATABASE, FILES, FORMAT, NAME, Manifest, sha256_of
from slipring.upkeep.private import make_parents, write_private
from slipring.upkeep.programs import address, programs_for

_STAGING = ".slipring-backup-"
# The cluster is in the dump; the rest of these is made anew at each start.
_NOT_KEPT = ("postgres", "postgres.new", "postgres.lock", "socket", "binaries-", _STAGING)
_TELL_EVERY_SECONDS = 5.0
Tell = Callable[[str], None]


class NoBackup(Exception):
    """The backup was not made; the message says why, in both languages."""


def back_up(dsn: str, prefix: str, data_dir: Path, target: Path, now: datetime, tell: Tell) -> Manifest:
    """Write a backup to `target`: a folder, or one file when the name ends in `.tar`; refuses to overwrite."""
    if target.exists() or target.is_symlink():
        raise NoBackup(f"{target} is there already and is not overwritten. {target} 已存在，不会覆盖。")
    if not target.parent.is_dir():
        raise NoBackup(f"There is no folder {target.parent}. 目录 {target.parent} 不存在。")
    _clear_the_dead(target.parent)
    with _staging(target.parent, target.name) as folder:
        manifest = asyncio.run(_database(dsn, prefix, folder, now, tell))
        members = {DATABASE: _member(folder / DATABASE)}
        for path in data_files(data_dir):
            name = f"{FILES}/{path.relative_to(data_dir).as_posix()}"
            make_parents(folder / name)
            write_private(folder / name, path.read_bytes())
            members[name] = _member(folder / name)
        tell(f"files: {len(members) - 1} 文件")
        whole = replace(manifest, members=members)
        write_private(folder / NAME, whole.text().encode())
        if target.suffix == ".tar":
            _as_one_file(folder, target)
        else:
            _synced(folder)
            # Only an empty folder made in the meantime could be replaced by this; anything else is an error.
            folder.rename(target)
        _sync(target.parent)
    asyncio.run(_marked(dsn, prefix, now))
    return whole


def data_files(data_dir: Path) -> Iterator[Path]:
    """Keys and certificates: every regular file of the data directory but the cluster and other backups."""
    for folder, folders, names in os.walk(data_dir):
        here = Path(folder)
        top = here == data_dir
        folders[:] = sorted(
            name for name in folders if not (top and name.startswith(_NOT_KEPT)) and not _is_backup(here / name)
        )
        for name in sorted(names):
            path = here / name
            half = path.suffix == ".new" or (top and (name.startswith(_NOT_KEPT) or path.suffix == ".tar"))
            if path.is_file() and not path.is_symlink() and not half:
                yield path


async def _database(dsn: str, prefix: str, folder: Path, now: datetime, tell: Tell) -> Manifest:
    """Count and dump from one snapshot, however much is written meanwhile."""
    connection = await asyncpg.connect(dsn, server_settings={"idle_in_transaction_session_timeout": "0"})
    try:
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            schemas = await schemas_of(connection, prefix)
            if f"{prefix}front" not in schemas:
                raise NoBackup("This database holds no installation yet. 该数据库中尚无可备份的安装。")
            snapshot = await connection.fetchval("SELECT pg_export_snapshot()")
            server = str(await connection.fetchval("SHOW server_version"))
            mode = await connection.fetchval(f"SELECT value FROM {quote(prefix + 'front')}.mark WHERE name = 'mode'")
            records = {}
            for schema in schemas:
                records[schema] = await record_of(connection, schema)
                tell(f"{schema}: {sum(records[schema].resources.values())} resources 资源")
            programs = programs_for(connection.get_server_version().major)
            await _dump(programs["pg_dump"], dsn, snapshot, schemas, folder / DATABASE, tell)
    finally:
        await connection.close()
    return Manifest(
        made_at=now.isoformat(),
        program=version("slipring"),
        server=server,
        dump_major=programs.major,
        mode=str(mode or "unmarked"),
        schema_prefix=prefix,
        schemas=records,
    )


async def _marked(dsn: str, prefix: str, now: datetime) -> None:
    """Leave a mark for the doctor; the backup itself was complete before."""
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute(
            f"INSERT INTO {quote(prefix + 'front')}.mark (name, value) VALUES ($1, $2) "
            "ON CONFLICT (name) DO UPDATE SET value = EXCLUDED.value",
            LAST_BACKUP,
            now.isoformat(),
        )
    finally:
        await connection.close()


async def _dump(program: str, dsn: str, snapshot: str, schemas: list[str], to: Path, tell: Tell) -> None:
    place, environment = address(dsn)
    chosen = [f"--schema={quote(schema)}" for schema in schemas]
    chosen += [f"--exclude-table-data={quote(schema)}.{SECRETS}" for schema in schemas]
    process = await asyncio.create_subprocess_exec(
        program, "--format=custom", "--no-owner", "--no-privileges", "--strict-names", f"--snapshot={snapshot}",
        *chosen, f"--file={to}", f"--dbname={place}",
        env=environment, stderr=asyncio.subprocess.PIPE, umask=0o077,
    )  # fmt: skip
    waiting = asyncio.create_task(process.communicate())
    try:
        while not (await asyncio.wait({waiting}, timeout=_TELL_EVERY_SECONDS))[0]:
            tell(f"database: {_megabytes(to)} MB")
    except BaseException:
        process.kill()
        raise
    _, said = waiting.result()
    if process.returncode != 0:
        raise NoBackup(f"pg_dump failed: {said.decode(errors='replace').strip()[-500:]} 数据库导出失败。")
    tell(f"database: {_megabytes(to)} MB")


def _megabytes(path: Path) -> str:
    return f"{path.stat().st_size / 1e6:.1f}" if path.exists() else "0"


def _member(path: Path) -> dict[str, object]:
    return {"sha256": sha256_of(path), "bytes": path.stat().st_size}


def _as_one_file(folder: Path, target: Path) -> None:
    half = folder / "whole.tar"
    descriptor = os.open(half, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file, tarfile.open(fileobj=file, mode="w") as tar:
        for name in (NAME, DATABASE, FILES):  # the manifest first: it can be read without the rest
            if (folder / name).exists():
                tar.add(folder / name, arcname=name)
    _sync(half)
    try:
        os.link(half, target)  # unlike a rename, a link never overwrites
    except FileExistsError:
        raise NoBackup(f"{target} is there already and is not overwritten. {target} 已存在，不会覆盖。") from None


@contextmanager
def _staging(parent: Path, name: str) -> Iterator[Path]:
    """A hidden folder held by a lock for as long as this run lives; gone afterwards unless it was renamed."""
    folder = parent / f"{_STAGING}{name}-{os.getpid()}"
    folder.mkdir(mode=0o700)
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield folder
    finally:
        os.close(descriptor)
        shutil.rmtree(folder, ignore_errors=True)


def _clear_the_dead(parent: Path) -> None:
    for left_over in parent.glob(f"{_STAGING}*"):
        descriptor = os.open(left_over, os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(left_over)
        except BlockingIOError:
            continue  # another backup is being written there
        finally:
            os.close(descriptor)


def _is_backup(folder: Path) -> bool:
    manifest = folder / NAME
    return manifest.is_file() and FORMAT in manifest.read_text(encoding="utf-8", errors="replace")


def _synced(folder: Path) -> None:
    for path in [*folder.rglob("*"), folder]:
        _sync(path)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
