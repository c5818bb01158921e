"""One SQLite file, opened for as long as the program runs.

Write-ahead log with a full sync: a commit that returned is on disk,
and readers never wait for a writer of another process. The threads of
this one take turns.
"""

from __future__ import annotations

import os
import sqlite3
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from data_label_factory.errors import ListError, ListFileError
from data_label_factory.lists import schema

# How long a writer waits for another one. A step takes some ms, an import of
# 10,000 entries a second.
_BUSY_SECONDS = 10.0


class Database:
    """The connection, one thread at a time."""

    def __init__(self, path: Path) -> None:
        """Opens the file, makes it if there is none, and brings its
        tables up to date.

        Raises ListFileError.
        """
        self.path = path
        self._lock = threading.RLock()
        with _explained(path):
            self._connection = _connect(path)
        try:
            with _explained(path):
                self._prepare()
        except BaseException:
            self._connection.close()
            raise

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """One state of the file, whoever writes meanwhile."""
        with self._lock, _explained(self.path):
            if self._connection.in_transaction:
                yield self._connection
                return
            self._connection.execute("BEGIN")
            try:
                yield self._connection
            finally:
                self._connection.execute("ROLLBACK")

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """A transaction: on disk when the block ends, undone if it raises."""
        with self._lock, _explained(self.path):
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
                self._connection.execute("COMMIT")
            except BaseException:
                with suppress(sqlite3.Error):
                    self._connection.execute("ROLLBACK")
                raise

    def close(self) -> None:
        """Move the log into the file, so that the file alone is all of it."""
        with self._lock:
            with suppress(sqlite3.Error):
                self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            self._connection.close()

    def backup(self, target: Path) -> None:
        """Write a copy of one moment, while others may go on writing.

        Raises ListFileError.
        """
        if os.path.realpath(target) == os.path.realpath(self.path):
            raise ListFileError(f"{target} is the file itself", "Name another one")
        with self._lock, _explained(target):
            folder = target.absolute().parent
            with tempfile.TemporaryDirectory(prefix=".backup.", dir=folder) as temporary:
                copy = Path(temporary) / target.name
                self._connection.execute("VACUUM INTO ?", [str(copy)])
                with copy.open("rb+") as file:
                    os.fsync(file.fileno())
                copy.replace(target)

    def _prepare(self) -> None:
        connection = self._connection
        _read_version(connection, self.path)  # change no file of somebody else's
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA foreign_keys = ON")

        with self.writing():
            version = _read_version(connection, self.path)
            for number in range(version, len(schema.MIGRATIONS)):
                # Not executescript, which commits first.
                for statement in _split(schema.MIGRATIONS[number]):
                    connection.execute(statement)
            connection.execute(f"PRAGMA application_id = {schema.APPLICATION_ID}")
            connection.execute(f"PRAGMA user_version = {len(schema.MIGRATIONS)}")


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(
        path,
        timeout=_BUSY_SECONDS,
        isolation_level=None,  # transactions begin where we say so
        check_same_thread=False,  # a lock sees to that
    )
    connection.row_factory = sqlite3.Row
    return connection


def _read_version(connection: sqlite3.Connection, path: Path) -> int:
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
    if tables and application != schema.APPLICATION_ID:
        raise ListFileError(f"{path} is not a file of lists", "Name another one with --lists")
    if version > len(schema.MIGRATIONS):
        raise ListFileError(f"{path} was written by a newer version", "Update data_label_factory")
    return int(version)


def _split(script: str) -> Iterator[str]:
    """The statements of a script; SQLite itself says where one ends."""
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    """Errors of SQLite and the disk, in words."""
    try:
        yield
    except sqlite3.OperationalError as exc:
        if "locked" in str(exc) or "busy" in str(exc):
            raise ListFileError(f"{path} is in use by another program", "Try again") from exc
        hint = "Check that its folder exists and can be written to, or name another with --lists"
        raise ListFileError(f"Cannot use {path}: {exc}", hint) from exc
    except sqlite3.DatabaseError as exc:
        if isinstance(exc, sqlite3.IntegrityError):
            raise
        if isinstance(exc, sqlite3.ProgrammingError):
            raise ListFileError(f"{path} was closed meanwhile", "Send it again") from exc
        raise ListFileError(
            f"{path} is damaged, or is not a file of lists: {exc}",
            "Put a backup in its place, or name another one with --lists",
        ) from exc
    except OverflowError as exc:  # of SQLite's numbers, which have 64 bits
        raise ListError("This number is too large", "Take one that the list has") from exc
    except OSError as exc:
        raise ListFileError(f"Cannot write {path}: {exc.strerror or exc}") from exc
