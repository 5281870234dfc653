"""What keeps a process from its work before it has begun, in one line of both languages that names what to mend."""

from __future__ import annotations

import errno
import ssl

import asyncpg.exceptions

# SQLSTATE classes of a database that is there and does not serve us: connection, authorisation, no such database,
# resources, intervention of its operator.
_REFUSES = ("08", "28", "3D", "53", "57")
_ALSO = frozenset({"42501", "25006"})  # no right; read-only
_OURS = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOMEM})  # this process has run out, the database has not


class Hindered(Exception):
    """The process cannot begin; the message says what to mend."""


def hindrance(error: BaseException) -> str | None:
    """The line for an error; None when it is a fault of the program."""
    error = getattr(getattr(error, "orig", None), "__cause__", None) or error  # SQLAlchemy wraps it twice
    if isinstance(error, asyncpg.exceptions.PostgresError):
        state = str(getattr(error, "sqlstate", None) or "")
        if state[:2] not in _REFUSES and state not in _ALSO:
            return None
        said = str(error).partition("\n")[0]  # what follows are details
        return (
            f"The database refuses: {said}. See SLIPRING_DATABASE_URL. 数据库拒绝访问，请检查 SLIPRING_DATABASE_URL。"
        )
    if _no_answer(error):
        said = str(error).partition("\n")[0] or type(error).__name__
        return (
            f"The database does not answer: {said}. Start it, or mend SLIPRING_DATABASE_URL."
            " 数据库无应答：请启动数据库，或更正 SLIPRING_DATABASE_URL。"
        )
    if isinstance(error, OSError) and error.filename:
        return f"{error.filename} cannot be used ({error.strerror}). 该文件或目录无法使用。"
    return None


def _no_answer(error: BaseException) -> bool:
    if isinstance(error, asyncpg.exceptions.InterfaceError):
        return not isinstance(error, ValueError)  # an argument of the wrong type is told by the driver as well
    return isinstance(error, ssl.SSLError) or (
        isinstance(error, OSError) and not error.filename and error.errno not in _OURS
    )
