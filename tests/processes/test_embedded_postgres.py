"""The embedded PostgreSQL starts, is shared, survives what may happen to it, and keeps what was committed."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest
from slipring.runtime import postgres
from slipring.runtime.postgres_account import WHEEL, choose_account

ROOT = Path(__file__).parents[2]
START = """
import pathlib, sys
from slipring.runtime.postgres import ensure_running
print(ensure_running(pathlib.Path(sys.argv[1])), flush=True)
"""


@pytest.fixture
def data_dir() -> Iterator[Path]:
    """A data directory that anybody may reach, stopped and removed afterwards."""
    with tempfile.TemporaryDirectory(prefix="slipring-pg-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        yield folder / "data"
        postgres.stop(folder / "data")


async def _value(dsn: str, query: str) -> object:
    connection = await asyncpg.connect(dsn)
    try:
        return await connection.fetchval(query)
    finally:
        await connection.close()


async def _commit(dsn: str, words: str) -> None:
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute("CREATE TABLE IF NOT EXISTS kept (words text)")
        await connection.execute("INSERT INTO kept VALUES ($1)", words)
    finally:
        await connection.close()


def _postmaster(data_dir: Path) -> int:
    return int((data_dir / "postgres" / "postmaster.pid").read_text().split("\n")[0])


def _starter(data_dir: Path, *, tail: str = "") -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", START + tail, str(data_dir)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": str(ROOT / "shared")},
    )


async def test_it_starts_with_checksums_and_fsync_and_listens_on_no_network(data_dir: Path) -> None:
    dsn = await asyncio.to_thread(postgres.ensure_running, data_dir)
    expected = {"data_checksums": "on", "fsync": "on", "full_page_writes": "on", "listen_addresses": ""}
    expected |= {"server_encoding": "UTF8", "synchronous_commit": "on", "log_error_verbosity": "terse"}
    assert {name: await _value(dsn, f"SHOW {name}") for name in expected} == expected
    assert await _value(dsn, "SELECT current_database()") == "slipring"
    assert (data_dir / "postgres").stat().st_mode & 0o777 == 0o700


async def test_asking_again_gives_the_same_server(data_dir: Path) -> None:
    dsn = await asyncio.to_thread(postgres.ensure_running, data_dir)
    started = await _value(dsn, "SELECT pg_postmaster_start_time()")
    assert await asyncio.to_thread(postgres.ensure_running, data_dir) == dsn
    assert await _value(dsn, "SELECT pg_postmaster_start_time()") == started


async def test_four_processes_that_race_share_one_server(data_dir: Path) -> None:
    racers = [_starter(data_dir) for _ in range(4)]
    answers = [racer.communicate(timeout=90) for racer in racers]
    assert [racer.returncode for racer in racers] == [0, 0, 0, 0], answers
    assert len({out.strip() for out, _ in answers}) == 1
    assert await _value(answers[0][0].strip(), "SELECT 1") == 1


async def test_the_server_survives_kill_9_of_the_process_that_started_it(data_dir: Path) -> None:
    starter = _starter(data_dir, tail="import time; print('up', flush=True); time.sleep(600)")
    assert starter.stdout is not None
    dsn = (await asyncio.to_thread(starter.stdout.readline)).strip()
    assert starter.stdout.readline().strip() == "up"
    started = await _value(dsn, "SELECT pg_postmaster_start_time()")
    starter.send_signal(signal.SIGKILL)
    starter.communicate()
    assert await asyncio.to_thread(postgres.ensure_running, data_dir) == dsn
    assert await _value(dsn, "SELECT pg_postmaster_start_time()") == started


async def test_after_kill_9_of_the_server_it_starts_again_with_every_committed_row(data_dir: Path) -> None:
    dsn = await asyncio.to_thread(postgres.ensure_running, data_dir)
    await _commit(dsn, "said before the crash")
    os.kill(_postmaster(data_dir), signal.SIGKILL)
    assert await asyncio.to_thread(postgres.ensure_running, data_dir) == dsn
    assert await _value(dsn, "SELECT words FROM kept") == "said before the crash"


async def test_a_process_id_that_another_program_took_over_does_not_block_the_start(data_dir: Path) -> None:
    dsn = await asyncio.to_thread(postgres.ensure_running, data_dir)
    await _commit(dsn, "said before the restart")
    pid_file = data_dir / "postgres" / "postmaster.pid"
    lines = pid_file.read_text()
    owner = pid_file.stat()
    await asyncio.to_thread(postgres.stop, data_dir)
    account = choose_account()
    stranger = subprocess.Popen(["sleep", "60"], user=account.uid if account.switch else None)
    try:
        pid_file.write_text("\n".join([str(stranger.pid), *lines.split("\n")[1:]]))
        os.chown(pid_file, owner.st_uid, owner.st_gid)
        assert await asyncio.to_thread(postgres.ensure_running, data_dir) == dsn
        assert await _value(dsn, "SELECT words FROM kept") == "said before the restart"
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


async def test_a_set_up_cut_off_half_way_is_made_anew(data_dir: Path) -> None:
    half = data_dir / "postgres.new"
    half.mkdir(parents=True)
    (half / "PG_VERSION").write_text("18")
    dsn = await asyncio.to_thread(postgres.ensure_running, data_dir)
    assert await _value(dsn, "SELECT 1") == 1
    assert not half.exists()


async def test_stopping_ends_the_server_and_the_next_start_finds_the_data(data_dir: Path) -> None:
    dsn = await asyncio.to_thread(postgres.ensure_running, data_dir)
    await _commit(dsn, "kept")
    await asyncio.to_thread(postgres.stop, data_dir)
    assert not postgres.is_running(data_dir)
    with pytest.raises(OSError):
        await _value(dsn, "SELECT 1")
    dsn = await asyncio.to_thread(postgres.ensure_running, data_dir)
    assert postgres.is_running(data_dir)
    assert await _value(dsn, "SELECT words FROM kept") == "kept"


async def test_a_deep_data_directory_gets_a_short_socket_path(data_dir: Path) -> None:
    deep = data_dir / ("deep" * 15) / ("deeper" * 15)
    dsn = await asyncio.to_thread(postgres.ensure_running, deep)
    try:
        assert await _value(dsn, "SELECT 1") == 1
        assert "deeper" not in dsn
    finally:
        await asyncio.to_thread(postgres.stop, deep)


async def test_a_data_directory_under_a_private_folder_works(data_dir: Path) -> None:
    """As root the server's account cannot pass the folder; as a user the folder is his own."""
    data_dir.mkdir(mode=0o700)
    inside = data_dir / "data"
    dsn = await asyncio.to_thread(postgres.ensure_running, inside)
    try:
        await _commit(dsn, "kept")
        os.kill(_postmaster(inside), signal.SIGKILL)
        dsn = await asyncio.to_thread(postgres.ensure_running, inside)
        assert await _value(dsn, "SELECT words FROM kept") == "kept"
    finally:
        await asyncio.to_thread(postgres.stop, inside)


async def test_a_virtual_environment_under_a_private_folder_works(data_dir: Path) -> None:
    spec = __import__("importlib.util").util.find_spec(WHEEL)
    assert spec is not None
    assert spec.submodule_search_locations
    package = Path(spec.submodule_search_locations[0])
    private = data_dir.parent / "private"
    private.mkdir(mode=0o700)
    for folder in [package, package.parent / f"{WHEEL}.libs", *package.parent.glob(f"{WHEEL}-*.dist-info")]:
        if folder.exists():
            shutil.copytree(folder, private / folder.name, symlinks=True)
    done = subprocess.run(
        [sys.executable, "-c", START, str(data_dir)],
        capture_output=True,
        text=True,
        env={k: v for k, v in os.environ.items() if k != "PG_BIN"} | {"PYTHONPATH": f"{private}:{ROOT / 'shared'}"},
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert await _value(done.stdout.strip(), "SELECT 1") == 1
    if os.geteuid() == 0:
        assert list(data_dir.glob("binaries-*"))


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user; as a user every test here shows it")
async def test_an_ordinary_user_starts_his_own_server(data_dir: Path) -> None:
    setpriv, python = shutil.which("setpriv"), _python_for_everybody()
    if setpriv is None or python is None:
        pytest.skip("needs setpriv and a Python that an ordinary user can execute")
    source = data_dir.parent / "source"
    shutil.copytree(ROOT / "shared" / "slipring" / "runtime", source / "slipring" / "runtime")
    (source / "slipring" / "__init__.py").touch()
    spec = __import__("importlib.util").util.find_spec(WHEEL)
    package = Path(spec.submodule_search_locations[0])
    for folder in [package, package.parent / f"{WHEEL}.libs", *package.parent.glob(f"{WHEEL}-*.dist-info")]:
        shutil.copytree(folder, source / folder.name, symlinks=True)
    subprocess.run(["chmod", "-R", "a+rX", str(source)], check=True)
    home = data_dir.parent / "home"
    home.mkdir()
    os.chown(home, 65534, 65534)
    as_user = [setpriv, "--reuid=65534", "--regid=65534", "--clear-groups", python, "-c"]
    env = {"PYTHONPATH": str(source), "PATH": os.environ["PATH"], "HOME": str(home)}
    done = subprocess.run([*as_user, START, str(home / "data")], capture_output=True, text=True, env=env, check=False)
    assert done.returncode == 0, done.stderr
    try:
        assert await _value(done.stdout.strip(), "SELECT 1") == 1
        assert (home / "data" / "postgres").stat().st_uid == 65534
    finally:
        subprocess.run([*as_user, START.replace("ensure_running", "stop"), str(home / "data")], env=env, check=True)


def _python_for_everybody() -> str | None:
    for candidate in [sys.executable, *("/usr/bin/" + name for name in ("python3", "python3.11", "python3.12"))]:
        probe = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", candidate, "-c", "import tomllib"]
        if subprocess.run(probe, capture_output=True, check=False).returncode == 0:
            return candidate
    return None
