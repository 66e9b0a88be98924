"""DuckDB's errors in the program's own words."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

import duckdb

from lotuslake.core.errors import CatalogHeldError, LostRaceError, LotusLakeError, UnreachableError

_RACES = re.compile(
    r"Transaction conflict|lost race|write-write conflict|Conflict on update|serialize access|maximum retry count|"
    # Another process has ended the rebuild, or made what was not there a moment ago.
    r"Table with name (rebuild_\w+|\w+__rebuild\w*) does not exist|(Table|View|Schema) with name .{1,200} already exists",
    re.IGNORECASE,
)
_LOCKED = re.compile(
    r"Could not set lock on file.*?held in (?P<holder>.+?)\. See also|Unique file handle conflict", re.DOTALL
)
_OUTAGES = re.compile(
    r"HTTP|Connection|connect to Postgres|connection to server|server closed|terminating connection|timed? ?out|SSL|"
    r"Could not establish|could not translate host|no such bucket|Unable to connect|libpq|SlowDown|Failed to read|"
    # Postgres went away in the middle of a transaction; the reason that follows may be empty.
    r'Failed to execute query "(BEGIN|COMMIT|ROLLBACK)',
    re.IGNORECASE,
)
_POSTGRES = re.compile(r'Unable to connect to Postgres at "(?P<url>[^"]*)":\s*(?P<why>.*)', re.DOTALL)
_CREDENTIALS = re.compile(
    r"\b(password|passwd|secret|key_id|session_token)(\s*[=:]\s*('[^']*'|\S+)|\s+'[^']*')", re.IGNORECASE
)
MAX_LENGTH = 300


def first_line(error: BaseException) -> str:
    """The first line of an error without anything secret: DuckDB repeats statements and rows in the lines below it."""
    return redact(str(error).strip().split("\n", 1)[0])


def redact(text: str) -> str:
    """Text without what looks like a credential, cut to a length that a person reads."""
    return _CREDENTIALS.sub(r"\1 …", text)[:MAX_LENGTH]


def translate(error: BaseException, doing: str) -> LotusLakeError | None:
    """The program's error for one of DuckDB's (or dbt's text of one); None where it is nothing that was foreseen."""
    text = str(error)
    if _RACES.search(text):
        return LostRaceError(f"another process changed the lake first while {doing}")
    locked = _LOCKED.search(text)
    if locked:
        holder = locked.group("holder") or "this process"
        return CatalogHeldError(
            f"the catalog is held by {holder}; wait until it has ended, or run one command at a time"
        )
    refused = _POSTGRES.search(text)
    if refused:
        why = " ".join(refused.group("why").split()).removeprefix("connection to server ")
        return UnreachableError(f"Postgres does not take the connection ({refused.group('url')}): {redact(why)}")
    if isinstance(error, duckdb.HTTPException | duckdb.ConnectionException) or (
        isinstance(error, duckdb.IOException) or _OUTAGES.search(text)
    ):
        return UnreachableError(f"could not go on {doing}: {_telling_line(text)}")
    return None


def _telling_line(text: str) -> str:
    """The line that names the outage: dbt puts headings above it."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return redact(next((line for line in lines if _OUTAGES.search(line)), lines[0] if lines else "no message"))


@contextmanager
def translated(doing: str) -> Iterator[None]:
    """Raise what DuckDB raises as a LotusLakeError where it was foreseen."""
    try:
        yield
    except duckdb.Error as error:
        known = translate(error, doing)
        if known is None:
            raise
        raise known from error
