"""What a backup says about itself, and the check that all of it is there unchanged."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

FORMAT = "slipring-backup/1"
NAME = "manifest.json"
DATABASE = "database.dump"
FILES = "data"


class Damaged(Exception):
    """A backup that is not whole, was changed, or is none; the message says where."""


@dataclass(frozen=True, slots=True)
class SchemaRecord:
    """What one schema held when the snapshot was taken."""

    revision: str  # of the migrations
    resources: Mapping[str, int]  # current, by type; copies are not counted
    tables: Mapping[str, int]  # rows
    versions: str  # digest over every version's text
    audit: str  # digest over every audit row's own hash
    seal: str = ""  # number and SHA-256 of the last seal


@dataclass(frozen=True, slots=True)
class Manifest:
    """Everything needed to judge a backup without restoring it."""

    made_at: str
    program: str
    server: str
    dump_major: int
    mode: str  # demo or real
    schema_prefix: str
    schemas: Mapping[str, SchemaRecord]
    members: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)  # path -> sha256, bytes
    format: str = FORMAT

    def text(self) -> str:
        """JSON with its own SHA-256 as the last member."""
        tree = asdict(self)
        return json.dumps(tree | {"sha256": _digest(tree)}, indent=1, ensure_ascii=False)

    @classmethod
    def read(cls, folder: Path) -> Manifest:
        """The manifest of a backup; Damaged when it is not one or not as it was written."""
        try:
            tree = json.loads((folder / NAME).read_text(encoding="utf-8"))
            told = tree.pop("sha256")
        except FileNotFoundError:
            raise Damaged(f"{folder} is no backup: it has no {NAME}. 该目录不是备份：缺少 {NAME}。") from None
        except (ValueError, KeyError, AttributeError, OSError):
            raise Damaged(f"{folder / NAME} cannot be read. 备份清单无法读取。") from None
        if tree.get("format") != FORMAT:
            raise Damaged(f"{folder / NAME} is of another format than {FORMAT}. 备份格式不符。")
        if _digest(tree) != told:
            raise Damaged(f"{folder / NAME} was changed after it was written. 备份清单已被改动。")
        schemas = {name: SchemaRecord(**record) for name, record in tree.pop("schemas").items()}
        return cls(schemas=schemas, **tree)

    def check(self, folder: Path) -> None:
        """Every member is there with the bytes it had, and nothing else is."""
        for name, told in self.members.items():
            path = folder / name
            if not path.is_file() or path.is_symlink():
                raise Damaged(f"{name} is missing from the backup. 备份缺少 {name}。")
            if path.stat().st_size != told["bytes"] or sha256_of(path) != told["sha256"]:
                raise Damaged(f"{name} was changed after the backup was made. 备份中的 {name} 已被改动。")
        there = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if not path.is_dir()}
        if extra := sorted(there - {NAME, *self.members}):
            raise Damaged(f"{extra[0]} does not belong to the backup. {extra[0]} 不属于该备份。")


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file, read in pieces."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _digest(tree: Mapping[str, Any]) -> str:
    plain = json.dumps(tree, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(plain.encode()).hexdigest()
