"""DuckDB's errors in the program's own words.

An error is judged by its kind first, the words that its text begins with (`IO Error: …`): dbt hands on nothing but that
text. Phrases come second, of DuckDB and its extensions alone. What a statement or a value holds may read like anything.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import duckdb

from lotuslake.adapters.postgres_errors import explain_connection, explain_reply, find_reply
from lotuslake.adapters.s3_codes import find_wrong_setting
from lotuslake.core.errors import (
    CatalogHeldError,
    ConfigError,
    LostRaceError,
    LotusLakeError,
    RefusedError,
    UnreachableError,
)
from lotuslake.core.os_errors import FULL, REFUSED, disk_full, explain_errno

# DuckDB's file system, the store and the line to Postgres: there is trouble outside, whatever the text says.
OUTSIDE = frozenset({"IO", "HTTP", "Connection"})
# A commit carries the trouble of whatever it meets; a database that a failed write spoilt says which write it was. The
# Postgres extension's errors have no kind.
CARRIERS = frozenset({"TransactionContext", "FATAL", ""})

_HEADING = re.compile(r"\A(?:[^\n]*?: )?\w+ Error in [^\n]*\n")
_KIND = re.compile(r"\s*(?P<kind>[A-Z][A-Za-z ]*?) Error: (?P<text>.*)", re.DOTALL)
_QUOTED_SQL = re.compile(r"\n\s*\n\s*LINE \d+: .*", re.DOTALL)
_CONFLICT = re.compile(
    r"^\s*(Failed to commit: )?(Transaction conflict|Conflict on|Catalog write-write conflict|Exceeded the maximum retry count)",
    re.MULTILINE,
)
# The guards in models/macros/cursor.sql.
_LOST = re.compile(r"lost race: ")
# Another process has ended the rebuild, or made what was not there a moment ago.
_MOVED = re.compile(
    r"Table with name (rebuild_\w+|\w+__rebuild\w*) does not exist|(Table|View|Schema) with name .{1,200} already exists"
)
_LOCKED = re.compile(r"Could not set lock on file .*?held in (?P<holder>.+?)\. See also", re.DOTALL)
_UNREACHED = re.compile(r'Unable to connect to Postgres at "(?P<url>[^"]*)":\s*(?P<why>.*)', re.DOTALL)
_NUMBERS = {os.strerror(number): number for number in FULL | REFUSED}
_REFUSED_FILE = re.compile(rf'"(?P<path>[^"\n]+)": (?P<why>{"|".join(map(re.escape, _NUMBERS))})$', re.MULTILINE)
_REQUEST = re.compile(r"\bHTTP (GET|HEAD|PUT|POST|DELETE)\b")
_NOT_TAKEN = re.compile(r"HTTP (?P<status>5\d\d) for HTTP (PUT|POST) to ")
INSUFFICIENT_STORAGE = "507"
# A data file of the lake's own, by DuckLake's way of naming them, that is not there.
_LOST_FILE = re.compile(
    r"/(?P<schema>meta|landing|processed|enriched)/(?P<table>[^/'\"]+)/(?:[^'\"\s]*/)?ducklake-[0-9a-f-]+\.parquet.*"
    r"(No such file|HTTP 404|HTTP code 404)",
    re.DOTALL,
)
_NO_TLS = "SSL connect error"
_CREDENTIALS = re.compile(
    r"\b(password|passwd|secret|key_id|session_token)(\s*[=:]\s*('[^']*'|\S+)|\s+'[^']*')", re.IGNORECASE
)
MAX_LENGTH = 300
MAX_HINTS = 2000


@dataclass(frozen=True, slots=True)
class Said:
    """What DuckDB said: the kind of the error, such as `IO`, and the rest without the SQL that it quotes below."""

    kind: str
    text: str

    @property
    def line(self) -> str:
        """Its first line, to be told to a person."""
        first = self.text.strip().split("\n", 1)[0]
        return redact(f"{self.kind} Error: {first}" if self.kind else first)


def hear(text: str) -> Said:
    """The parts of an error's text, DuckDB's own or as dbt hands it on."""
    body = _QUOTED_SQL.sub("", _HEADING.sub("", text))
    found = _KIND.match(body)
    return Said(found["kind"], found["text"]) if found else Said("", body.strip())


def first_line(error: BaseException) -> str:
    """The first line of an error without anything secret: DuckDB repeats statements and rows in the lines below it."""
    return redact(str(error).strip().split("\n", 1)[0])


def hints(error: BaseException) -> str:
    """An error over a person's own statement in one line, with what DuckDB says below it: what is nearest, and where."""
    text, _, quoted = str(error).strip().partition("\nLINE ")
    line = quoted.partition(":")[0]
    told = " ".join(text.split()) + (f" (line {line})" if line.isdecimal() and line != "1" else "")
    return _CREDENTIALS.sub(r"\1 …", told)[:MAX_HINTS]


def redact(text: str) -> str:
    """Text without what looks like a credential, cut to a length that a person reads."""
    return _CREDENTIALS.sub(r"\1 …", text)[:MAX_LENGTH]


def translate(error: BaseException, doing: str) -> LotusLakeError | None:
    """The program's error for one of DuckDB's; None where it is nothing that was foreseen."""
    return translate_text(str(error), doing)


def translate_text(text: str, doing: str) -> LotusLakeError | None:
    """As `translate`, for the text of an error, which is all that dbt hands on."""
    said = hear(text)
    if _is_lost_race(said):
        return LostRaceError(f"another process changed the lake first while {doing}")
    if said.kind == "Binder" and said.text.startswith("Unique file handle conflict"):
        return _held("this process")
    if said.kind == "Out of Memory":
        return _out_of_memory(said, doing)
    if said.kind in OUTSIDE | CARRIERS:
        return _trouble_outside(said, doing)
    return None


def _is_lost_race(said: Said) -> bool:
    if said.kind == "TransactionContext":
        return _CONFLICT.search(said.text) is not None
    if said.kind == "Catalog":
        return _MOVED.match(said.text) is not None
    return said.kind == "Invalid Input" and _LOST.match(said.text) is not None


def _trouble_outside(said: Said, doing: str) -> LotusLakeError | None:
    locked = _LOCKED.search(said.text)
    if locked:
        return _held(locked["holder"])
    unreached = _UNREACHED.search(said.text)
    if unreached:
        return explain_connection(unreached["url"], redact(unreached["why"]))
    reply = find_reply(said.text)
    if reply is not None:
        return explain_reply(reply, doing)
    lost = _LOST_FILE.search(said.text)
    if lost:
        return _lost_file(lost["schema"], lost["table"], said)
    refused = _REFUSED_FILE.search(said.text)
    if refused:
        number, path = _NUMBERS[refused["why"]], refused["path"]
        # A file that did not fit is not there.
        return explain_errno(number, str(Path(path).parent) if number in FULL else path)
    wrong = find_wrong_setting(said.text) if said.kind == "HTTP" or _REQUEST.search(said.text) else None
    if wrong is not None:
        return RefusedError(wrong)
    if said.text.startswith(_NO_TLS):
        return UnreachableError(f"could not go on {doing}: TLS failed ({said.line}): does the endpoint speak https?")
    not_taken = _NOT_TAKEN.search(said.text)
    if not_taken and not_taken["status"] == INSUFFICIENT_STORAGE:
        return disk_full("the object store has no room left")
    if said.kind in OUTSIDE or _REQUEST.search(said.text):
        hint = "; the store did not take a file: look whether it has room" if not_taken else ""
        return UnreachableError(f"could not go on {doing}: {said.line}{hint}")
    return None


def _lost_file(schema: str, table: str, said: Said) -> LotusLakeError:
    if schema == "meta":
        return ConfigError(
            f"a file of the lake's own ledger (meta.{table}) is gone from the data root: put it back from a copy, or begin with "
            f"an empty catalog, into which lotuslake register takes all that landing has ({said.line})"
        )
    return UnreachableError(
        f"a file of {schema}.{table} is gone from the data root: lotuslake ingest-check --full-sweep says what is lost, and "
        f"what mends it ({said.line})"
    )


def _held(holder: str) -> CatalogHeldError:
    return CatalogHeldError(f"the catalog is held by {holder}; wait until it has ended, or run one command at a time")


def _out_of_memory(said: Said, doing: str) -> LotusLakeError:
    if "max_temp_directory_size" in said.text:
        return disk_full(
            f"there is no room left in LOTUSLAKE_TEMP_DIR while {doing} ({said.line}): it is bounded by LOTUSLAKE_TEMP_LIMIT, "
            "without it by the disk"
        )
    return ConfigError(
        f"DuckDB needs more memory than LOTUSLAKE_MEMORY_LIMIT grants while {doing} ({said.line}): raise it, "
        "or take less at a time: LOTUSLAKE_BATCH_MAX_ROWS bounds what a transform reads"
    )


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
