"""The files for real use say what they must; without an engine at hand they are held by what parses them."""

from __future__ import annotations

import ast
import json
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from slipring.runtime.settings import Settings

from tests.architecture.tree import ROOT

PORTS = {"front": 8100, "order": 8101, "consent": 8102, "report": 8103, "critical": 8104}
KNOWN = {"FROM", "ENV", "WORKDIR", "COPY", "RUN", "ARG", "USER", "VOLUME", "EXPOSE", "HEALTHCHECK", "ENTRYPOINT", "CMD"}
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))


def instructions() -> list[tuple[str, str]]:
    """The Dockerfile's instructions with continued lines joined."""
    text = (ROOT / "deploy" / "Dockerfile").read_text(encoding="utf-8")
    lines = re.sub(r"\\\n\s*", " ", re.sub(r"^#.*\n", "", text, flags=re.MULTILINE)).splitlines()
    return [(line.split(None, 1)[0], line.split(None, 1)[1]) for line in lines if line.strip()]


def _with(name: str) -> list[str]:
    return [rest for word, rest in instructions() if word == name]


def test_every_instruction_of_the_dockerfile_is_one() -> None:
    assert {word for word, _ in instructions()} <= KNOWN
    assert instructions()[0][0] == "FROM"
    for name in ("ENTRYPOINT", "CMD", "HEALTHCHECK"):
        for rest in _with(name):
            assert json.loads(rest[rest.index("[") :]), name


def test_the_image_is_pinned_hashed_and_not_run_by_root() -> None:
    assert all(":" in image and not image.endswith(":latest") for image in _with("FROM"))
    assert any("--require-hashes" in command for command in _with("RUN"))
    assert _with("USER") == ["slipring"]
    words = [word for word, _ in instructions()]
    assert words.index("USER") > max(place for place, word in enumerate(words) if word == "RUN")


def test_everything_the_image_copies_or_installs_exists() -> None:
    for rest in _with("COPY"):
        *sources, _target = shlex.split(rest)
        assert [source for source in sources if not (ROOT / source).exists()] == []
    installed = [word for command in _with("RUN") for word in command.split() if word.startswith("./")]
    assert sorted(installed) == sorted(["./shared", *(f"./services/{name}" for name in PORTS if name != "front")])
    assert all((ROOT / name / "pyproject.toml").exists() for name in installed)


def test_the_shell_scripts_parse_and_know_every_port() -> None:
    for script in ("deploy/entrypoint.sh", "deploy/venv.sh", ".ci/run"):
        shell = "bash" if script == ".ci/run" else "sh"
        assert subprocess.run([shell, "-n", str(ROOT / script)], check=False).returncode == 0, script
    entry = (ROOT / "deploy" / "entrypoint.sh").read_text(encoding="utf-8")
    assert {name: int(port) for name, port in re.findall(r"(\w+)\) port=(\d+)", entry)} == PORTS


def test_the_entrypoint_refuses_a_service_that_does_not_exist() -> None:
    done = subprocess.run(
        ["sh", str(ROOT / "deploy" / "entrypoint.sh"), "serve"],
        env={"SERVICE": "kitchen", "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "kitchen" in done.stderr


def test_the_health_check_knows_every_port_and_fails_when_nobody_answers() -> None:
    path = ROOT / "deploy" / "healthy.py"
    tree = ast.parse(path.read_text(encoding="utf-8"))
    assigned = {
        node.targets[0].id: ast.literal_eval(node.value)
        for node in tree.body
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
    }
    assert assigned["PORTS"] == PORTS
    nobody = {"SERVICE": "order", "SLIPRING_HOST": "127.1.2.3"}
    assert subprocess.run([sys.executable, str(path)], env=nobody, check=False).returncode == 1


def test_compose_runs_the_front_and_every_service_on_their_ports() -> None:
    services = COMPOSE["services"]
    assert set(services) == {*PORTS, "database", "keys"}
    for name, port in PORTS.items():
        assert services[name]["environment"]["SERVICE"] == name
        assert services[name]["hostname"] == name
        assert services[name]["ports"] == [f"127.0.0.1:{port}:{port}"], "reachable from this machine only"
        assert services[name]["environment"][f"SLIPRING_{name.upper()}_URL"] == f"http://{name}:{port}"


def test_compose_waits_for_the_database_and_for_the_keys() -> None:
    for name in PORTS:
        waits = COMPOSE["services"][name]["depends_on"]
        assert waits["database"] == {"condition": "service_healthy"}
        assert waits["keys"] == {"condition": "service_completed_successfully"}
    assert COMPOSE["services"]["database"]["healthcheck"]["test"]
    assert COMPOSE["services"]["keys"]["command"] == ["keys", "init"]


def test_compose_keeps_data_in_named_volumes_and_pins_its_images() -> None:
    assert set(COMPOSE["volumes"]) == {"database", "keys"}
    for service in COMPOSE["services"].values():
        assert re.search(r":\d", service["image"])
        assert all(volume.split(":")[0] in COMPOSE["volumes"] for volume in service["volumes"])
    assert (ROOT / COMPOSE["services"]["front"]["build"]["dockerfile"]).exists()


def test_compose_sets_only_variables_that_exist_and_holds_no_password() -> None:
    environment = {k: v for k, v in COMPOSE["services"]["order"]["environment"].items() if k.startswith("SLIPRING_")}
    filled = {name: re.sub(r"\$\{[A-Z_]+(:-([^}]*)|:\?[^}]*)\}", r"\2", value) for name, value in environment.items()}
    assert Settings.from_env(filled).order_url == "http://order:8101"
    assert "${POSTGRES_PASSWORD:?" in COMPOSE["services"]["database"]["environment"]["POSTGRES_PASSWORD"]


@pytest.mark.parametrize("path", ["docker-compose.yml", "deploy/Dockerfile"])
def test_no_deployment_file_follows_a_moving_image(path: str) -> None:
    assert ":latest" not in (ROOT / Path(path)).read_text(encoding="utf-8")
