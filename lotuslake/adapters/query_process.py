"""The process that answers one query, so that a crash of DuckDB's is not one of the program.

It is started by `separate_query` with two pipes: a request comes in on one, and the answer goes out on the other in parts.
Secrets come with the request or by the environment, never by the command line.
"""

from __future__ import annotations

import os
import pickle
import resource
import sys
import threading
import traceback
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from typing import Any

from lotuslake.adapters.instance_options import InstanceOptions
from lotuslake.core.errors import LotusLakeError

RECURSION = 10_000
Row = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Request:
    """One statement and the lake it is for; with ``parquet`` the rows go to that file, and their number is the answer."""

    sql: str
    parameters: Mapping[str, Any] | None
    options: InstanceOptions
    parquet: str | None = None


@dataclass(frozen=True, slots=True)
class Columns:
    """Comes first: the names of the columns."""

    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Rows:
    """Some of the rows."""

    rows: list[Row]


@dataclass(frozen=True, slots=True)
class End:
    """Comes last: there are no more rows."""


@dataclass(frozen=True, slots=True)
class Refused:
    """Comes last: what was foreseen."""

    error: LotusLakeError


@dataclass(frozen=True, slots=True)
class Broken:
    """Comes last: a bug."""

    summary: str
    trace: str


Part = Columns | Rows | End | Refused | Broken


def main() -> None:
    """Answer the request that comes in on one descriptor on another; both are named by the command line."""
    # As deep as DuckDB takes a statement, a parse tree has two levels for one of its expressions.
    sys.setrecursionlimit(RECURSION)
    # What a dying process held in memory, secrets too, stays out of the project folder.
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    requests, answers = (int(number) for number in sys.argv[1:3])
    with os.fdopen(answers, "wb") as to, os.fdopen(requests, "rb") as incoming:
        try:
            request = pickle.load(incoming)  # noqa: S301 - our own program's
            threading.Thread(target=_end_with_the_program, args=(requests,), daemon=True).start()
            for part in _answer(request):
                # In full or not at all: a value that cannot be handed over must not spoil what says so.
                to.write(pickle.dumps(part, pickle.HIGHEST_PROTOCOL))
        except LotusLakeError as error:
            pickle.dump(Refused(error), to)
        except Exception as error:  # noqa: BLE001 - told by the program, with its trace
            trace = "".join(traceback.format_exception(error))
            pickle.dump(Broken(f"{type(error).__name__}: {error}", trace), to)


def _answer(request: Request) -> Iterator[Part]:
    # Deferred: a bug in them is answered too.
    from lotuslake.adapters.duckdb_instance import DuckDbInstance
    from lotuslake.adapters.ducklake_ledger import DuckLakeLedger
    from lotuslake.adapters.ducklake_query import DuckLakeQuery

    with closing(DuckDbInstance(request.options)) as instance:
        query = DuckLakeQuery(instance, DuckLakeLedger(instance))
        if request.parquet is not None:
            yield Columns(("rows",))
            yield Rows([(query.save(request.sql, request.parquet),)])
            yield End()
            return
        with query.stream(request.sql, request.parameters) as (columns, chunks):
            yield Columns(columns)
            for rows in chunks:
                yield Rows(rows)
    yield End()


def _end_with_the_program(requests: int) -> None:
    """The program holds its end of the pipe for as long as it wants the answer: killed or not, nobody is left at work."""
    os.read(requests, 1)
    os._exit(1)
