"""`slipring restore`: verify a backup, put its files back, and its database in one transaction with what must follow.

Killed at any moment it leaves either nothing of the database or all of it; files alone start no service.
"""

from __future__ import annotations

import os
import subprocess
import tarfile
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import IO

import asyncpg

from slipring.fhir.store.migrations import HEAD
from slipring.upkeep.after_restore import after_restore, check_contents
from slipring.upkeep.contents import quote, schemas_of
from slipring.upkeep.manifest import DATABASE, FILES, Damaged, Manifest, sha256_of
from slipring.upkeep.private import make_parents, write_private
from slipring.upkeep.programs import Programs, address, programs_for

Tell = Callable[[str], None]
_PIECE = 1 << 20
_HEADER_LINES = 60
_SETS_TIMEOUT = b"SET transaction_timeout"  # written by pg_dump 17 and newer, unknown to older servers


class NoRestore(Exception):
    """Nothing was restored; the message says why, in both languages."""


@dataclass(frozen=True, slots=True)
class Target:
    """Where a backup goes; `replace` keeps what is there aside instead of refusing."""

    dsn: str
    prefix: str
    data_dir: Path
    replace: bool = False


@contextmanager
def opened(path: Path) -> Iterator[Path]:
    """The folder of a backup; a `.tar` is unpacked beside it, and the copy is removed afterwards."""
    if path.is_dir():
        yield path
        return
    if not path.is_file():
        raise Damaged(f"There is no backup {path}. 没有备份 {path}。")
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".slipring-restore-") as name:
        try:
            with tarfile.open(path) as tar:
                tar.extractall(name, filter="data")
        except (tarfile.TarError, EOFError, OSError) as problem:
            raise Damaged(f"{path} cannot be read: {type(problem).__name__}. 备份文件无法读取。") from problem
        yield Path(name)


def verified(folder: Path, tell: Tell) -> Manifest:
    """The manifest, once every member was found as it was written."""
    manifest = Manifest.read(folder)
    manifest.check(folder)
    tell(f"verified: {len(manifest.members)} members, made {manifest.made_at} 校验通过")
    newest = max(record.revision for record in manifest.schemas.values())
    if newest > HEAD:
        raise NoRestore(
            f"The backup was made by a newer program (schema {newest}, this one knows {HEAD}): update first."
            " 备份由更新版本的程序生成，请先升级程序。"
        )
    return manifest


async def restore(folder: Path, manifest: Manifest, target: Target, now: datetime, tell: Tell) -> list[str]:
    """Put a verified backup back; returns what was moved aside."""
    if manifest.schema_prefix != target.prefix:
        raise NoRestore(
            f"The backup's schemas begin with {manifest.schema_prefix!r}: set SLIPRING_SCHEMA_PREFIX to it."
            " 备份的模式前缀与当前设置不同，请设置 SLIPRING_SCHEMA_PREFIX。"
        )
    there, server_major = await _standing(target, manifest)
    programs = programs_for(server_major, at_least=manifest.dump_major)
    stamp = f"{now:%Y%m%d%H%M%S}"
    aside = _files(folder, manifest, target, stamp)
    tell("files written 文件已恢复")
    moved = [(schema, f"{schema}_replaced_{stamp}") for schema in there]
    before = "".join(f"ALTER SCHEMA {quote(old)} RENAME TO {quote(new)};\n" for old, new in moved)
    after = check_contents(manifest) + after_restore(manifest, now)
    _database(folder / DATABASE, target, programs, server_major, before, after, tell)
    return [*aside, *(new for _, new in moved)]


async def _standing(target: Target, manifest: Manifest) -> tuple[list[str], int]:
    """The schemas that are in the way, and the server's release; refuses what must not be replaced."""
    connection = await asyncpg.connect(target.dsn)
    try:
        there = await schemas_of(connection, target.prefix)
        names = [f"slipring {schema}" for schema in there]
        served = await connection.fetchval(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name = ANY($1::text[])",
            names,
        )
        if served:
            raise NoRestore("Stop every service first: this database is being served. 请先停止所有服务。")
        filled = [schema for schema in there if await _filled(connection, schema)]
        if filled and not target.replace:
            raise NoRestore(
                f"The database is not empty ({', '.join(filled)}): restore into another one, or say --replace, which keeps"
                " what is there under other schema names. 数据库非空：请恢复到空库，或使用 --replace（原数据改名保留）。"
            )
        mode = await _mode(connection, target.prefix) if filled else None
        if mode and mode != manifest.mode:
            raise NoRestore(
                f"This database is marked {mode}, the backup {manifest.mode}: a demo never takes the place of real"
                " records, nor the other way round. 演示数据与真实数据不可互相替换。"
            )
        major = connection.get_server_version().major
        if major < int(manifest.server.split(".")[0]):
            raise NoRestore(
                f"The backup comes from PostgreSQL {manifest.server}, this server is older ({major})."
                " 目标数据库版本低于备份来源。"
            )
        return there, major
    finally:
        await connection.close()


async def _filled(connection: asyncpg.Connection, schema: str) -> bool:
    """Whether a schema holds anything that nobody could make again."""
    for table in ("resource", "client"):
        if await connection.fetchval("SELECT to_regclass($1)", f"{quote(schema)}.{table}") is None:
            continue
        if await connection.fetchval(f"SELECT EXISTS (SELECT FROM {quote(schema)}.{table})"):
            return True
    return False


async def _mode(connection: asyncpg.Connection, prefix: str) -> str | None:
    if await connection.fetchval("SELECT to_regclass($1)", f"{quote(prefix + 'front')}.mark") is None:
        return None
    mode = await connection.fetchval(f"SELECT value FROM {quote(prefix + 'front')}.mark WHERE name = 'mode'")
    return str(mode) if mode else None


def _files(folder: Path, manifest: Manifest, target: Target, stamp: str) -> list[str]:
    """Write keys and certificates where they were; one that differs is refused or moved aside, never overwritten."""
    pairs = []
    for name, told in manifest.members.items():
        if name.startswith(f"{FILES}/"):
            pairs.append((folder / name, target.data_dir / name.removeprefix(f"{FILES}/"), told["sha256"]))
    changed = [to for _, to, digest in pairs if to.exists() and sha256_of(to) != digest]
    if changed and not target.replace:
        raise NoRestore(
            f"{changed[0]} is there with other content: restore into another data directory, or say --replace."
            " 数据目录中已有不同内容的文件：请换一个数据目录，或使用 --replace。"
        )
    aside = []
    for to in changed:
        kept = to.with_name(f"{to.name}.replaced-{stamp}")
        to.rename(kept)
        aside.append(str(kept))
    for source, to, _ in pairs:
        if not to.exists():
            _placed(source, to)
    return aside


def _placed(source: Path, to: Path) -> None:
    make_parents(to)
    half = to.with_name(f"{to.name}.{os.getpid()}.new")
    half.unlink(missing_ok=True)
    write_private(half, source.read_bytes())
    half.rename(to)


def _database(
    dump: Path, target: Target, programs: Programs, server_major: int, before: str, after: str, tell: Tell
) -> None:
    """One transaction from BEGIN to COMMIT; when this process dies psql sees the end of its input and rolls back."""
    place, environment = address(target.dsn)
    with tempfile.TemporaryFile() as said:
        reading = subprocess.Popen(  # noqa: S603 - PostgreSQL's own programs, no shell
            [programs["pg_restore"], "--no-owner", "--no-privileges", "--file=-", str(dump)],
            stdout=subprocess.PIPE, stderr=said, env=environment,
        )  # fmt: skip
        writing = subprocess.Popen(  # noqa: S603
            [programs["psql"], "--no-psqlrc", "--quiet", "-v", "ON_ERROR_STOP=1", "-d", place, "-f", "-"],
            stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=said, env=environment,
        )  # fmt: skip
        assert reading.stdout is not None  # noqa: S101 - a pipe was asked for
        assert writing.stdin is not None  # noqa: S101
        try:
            writing.stdin.write(f"BEGIN;\n{before}".encode())
            _header(reading.stdout, writing.stdin, server_major)
            _rest(reading.stdout, writing.stdin, dump.stat().st_size, tell)
            if reading.wait() == 0:
                writing.stdin.write(f"{after}\nCOMMIT;\n".encode())
        except BrokenPipeError:
            pass  # psql stopped at an error, which it has told
        finally:
            reading.stdout.close()
            _closed(writing.stdin)
            ended: Sequence[int] = (reading.wait(), writing.wait())
        if any(ended):
            said.seek(0)
            reason = _first_error(said.read().decode(errors="replace"))
            raise NoRestore(
                f"The database was not restored, nothing in it was changed: {reason} 数据库未恢复，未作改动。"
            )
    tell("database restored and compared with the manifest 数据库已恢复并与清单核对")


def _header(source: IO[bytes], to: IO[bytes], server_major: int) -> None:
    for _ in range(_HEADER_LINES):
        line = source.readline()
        if not (line.startswith(_SETS_TIMEOUT) and server_major < 17):
            to.write(line)


def _rest(source: IO[bytes], to: IO[bytes], size: int, tell: Tell) -> None:
    done = told = 0
    while piece := source.read(_PIECE):
        to.write(piece)
        done += len(piece)
        if done - told > 200 * _PIECE:
            told = done
            tell(f"database: {done / 1e6:.0f} MB of text (archive {size / 1e6:.0f} MB)")


def _closed(pipe: IO[bytes]) -> None:
    try:
        pipe.close()
    except BrokenPipeError:
        return


def _first_error(said: str) -> str:
    """The first line that names an error; values of rows follow in DETAIL and CONTEXT, which are left out."""
    lines = [line for line in said.splitlines() if "ERROR" in line or "error" in line]
    return (lines or said.splitlines() or ["no reason given"])[0].strip()[-400:]
