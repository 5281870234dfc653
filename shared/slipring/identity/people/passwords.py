"""Passwords: which are good enough, and how they are kept (argon2id).

The work for a name without an account equals that for one with: a hash is verified either way.
"""

from __future__ import annotations

import asyncio
import secrets
import unicodedata
from functools import cache
from pathlib import Path

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError

from slipring.fhir.outcome import Issue
from slipring.identity.people.figures import Figures

_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"  # nothing that looks like something else


class Passwords:
    """Hashes and verifies, a few at a time, away from the event loop."""

    def __init__(self, figures: Figures) -> None:
        self._figures = figures
        self._hasher = PasswordHasher(figures.time_cost, figures.memory_kib, figures.parallelism)
        self._turn = asyncio.Semaphore(figures.hashes_at_once)
        self._nobody = ""

    async def kept(self, password: str) -> str:
        """The hash to keep."""
        async with self._turn:
            return await asyncio.to_thread(self._hasher.hash, normalised(password))

    async def fits(self, kept: str, password: str) -> bool:
        """Whether the password is the one behind the hash; '' (no account, no password) never fits but costs the same."""
        async with self._turn:
            if not self._nobody:
                self._nobody = await asyncio.to_thread(self._hasher.hash, secrets.token_urlsafe(32))
            return await asyncio.to_thread(self._verified, kept or self._nobody, password[: self._figures.longest * 4])

    def outdated(self, kept: str) -> bool:
        """Whether the hash was made with other parameters than today's."""
        return self._hasher.check_needs_rehash(kept)

    def _verified(self, kept: str, password: str) -> bool:
        try:
            return self._hasher.verify(kept, normalised(password))
        except (VerifyMismatchError, InvalidHashError):
            return False


def new_initial_password() -> str:
    """A password that is told once and must be changed at the first sign-in."""
    return "-".join("".join(secrets.choice(_ALPHABET) for _ in range(5)) for _ in range(4))


def normalised(password: str) -> str:
    """The same characters however a keyboard composed them (NIST SP 800-63B-4 3.1.1.2: NFKC or NFC)."""
    return unicodedata.normalize("NFC", password)


def wrong_with(password: str, name: str, figures: Figures) -> Issue | None:
    """Why this password may not be chosen; None when it may."""
    text = normalised(password)
    if len(text) < figures.shortest:
        return Issue(
            "value",
            zh=f"密码至少 {figures.shortest} 个字符；可以用一句话，空格也算。",
            en=f"A password has at least {figures.shortest} characters; a sentence with blanks is fine.",
            at="password",
            detail="identity.password-too-short",
        )
    if len(text) > figures.longest:
        return Issue(
            "value",
            zh=f"密码最多 {figures.longest} 个字符。",
            en=f"A password has at most {figures.longest} characters.",
            at="password",
            detail="identity.password-too-long",
        )
    if _guessable(text, name, figures):
        return Issue(
            "value",
            zh="这个密码太常见，或只由重复的内容、账户名组成；请换一个。",
            en="This password is too common, or made of repetitions or the account's name; choose another.",
            at="password",
            detail="identity.password-guessable",
        )
    return None


def _guessable(text: str, name: str, figures: Figures) -> bool:
    folded = unicodedata.normalize("NFKC", text).casefold()
    if len(set(folded)) < figures.fewest_different:
        return True
    words = sorted(_common() | {name.casefold()}, key=len, reverse=True)
    rest = folded
    for word in words:
        rest = rest.replace(word, "")
    # What is left beside words that everybody knows is what must be guessed.
    return len("".join(letter for letter in rest if letter.isalnum())) < figures.shortest // 2


@cache
def _common() -> frozenset[str]:
    lines = (Path(__file__).parent / "guessed_first.txt").read_text(encoding="utf-8").splitlines()
    return frozenset(line.strip().casefold() for line in lines if line.strip() and not line.startswith("#"))
