"""Questions to the lake, each answered in a process of its own: DuckDB may crash there."""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import IO, Any

from lotuslake.adapters.instance_options import InstanceOptions, never
from lotuslake.adapters.query_process import Broken, Columns, End, Part, Refused, Request, Rows
from lotuslake.core.errors import CrashError, LotusLakeError
from lotuslake.ports.query import Answer, Streamed

UNHARMED = "the lake is unharmed: it was opened for reading only"
# The very path of this program, however it was started.
PROGRAM = (
    "import sys; sys.path[:] = sys.argv.pop(3).split('\\n'); from lotuslake.adapters.query_process import main; main()"
)
CRASHES = frozenset({signal.SIGSEGV, signal.SIGABRT, signal.SIGBUS, signal.SIGFPE, signal.SIGILL})


class SeparateQuery:
    """See the port for what the method promises; ``load_options`` says how the lake is opened."""

    def __init__(self, load_options: Callable[[], InstanceOptions]) -> None:
        self._load_options = load_options

    def ask(self, sql: str, parameters: Mapping[str, Any] | None = None) -> Answer:
        with self._answered(sql, parameters) as streamed:
            return Answer(streamed.columns, tuple(streamed.rows))

    @contextmanager
    def stream(self, sql: str) -> Iterator[Streamed]:
        with self._answered(sql) as streamed:
            yield streamed

    def save(self, sql: str, path: Path) -> int:
        part = path.with_name(f".{path.name}.{os.getpid()}.part")
        try:
            with self._answered(sql, parquet=str(part.absolute())) as streamed:
                [(rows,)] = streamed.rows
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)
        return int(rows)

    @contextmanager
    def _answered(
        self, sql: str, parameters: Mapping[str, Any] | None = None, parquet: str | None = None
    ) -> Iterator[Streamed]:
        with _process() as (process, requests, answers):
            # Resolved while the other process imports DuckDB.
            request = Request(sql, parameters, replace(self._load_options(), interrupt=never), parquet)
            parts = _receive(process, answers)
            try:
                pickle.dump(request, requests)
                requests.flush()
            except BrokenPipeError:
                raise _died(process.wait()) from None
            # The names come with the first part, which may say that the statement was refused.
            yield Streamed(next(parts), chain.from_iterable(parts))


@contextmanager
def _process() -> Iterator[tuple[subprocess.Popen[bytes], IO[bytes], IO[bytes]]]:
    """The process, where it takes requests and where its answers come; it is ended with the context."""
    with ExitStack() as ends:
        their_requests, our_requests = os.pipe()
        our_answers, their_answers = os.pipe()
        requests = os.fdopen(our_requests, "wb")
        ends.callback(_close, requests)
        answers = ends.enter_context(os.fdopen(our_answers, "rb"))
        try:
            process = subprocess.Popen(  # noqa: S603 - this very Python
                [sys.executable, "-P", "-c", PROGRAM, str(their_requests), str(their_answers), "\n".join(sys.path)],
                # What a dying program prints is no line of a log; its Python errors come with the answer.
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                pass_fds=(their_requests, their_answers),
                # A Ctrl-C in the terminal is for the program, which ends this one.
                start_new_session=True,
            )
        finally:
            os.close(their_requests)
            os.close(their_answers)
        ends.callback(process.wait)
        ends.callback(process.kill)
        yield process, requests, answers


def _close(requests: IO[bytes]) -> None:
    # What a process that has died did not take: its death is told.
    with suppress(BrokenPipeError):
        requests.close()


def _receive(process: subprocess.Popen[bytes], answers: IO[bytes]) -> Iterator[tuple[Any, ...]]:
    """First the column names, then chunks of rows; raises what the process says went wrong."""
    while True:
        try:
            part: Part = pickle.load(answers)  # noqa: S301 - our own process's
        except (EOFError, pickle.UnpicklingError):
            raise _died(process.wait()) from None
        match part:
            case Columns(names):
                yield names
            case Rows(rows):
                yield tuple(rows)
            case End():
                return
            case Refused(error):
                raise error
            case Broken(summary, trace):
                bug = RuntimeError(summary)
                bug.add_note(trace)
                raise bug


def _died(code: int) -> LotusLakeError | RuntimeError:
    """What it means that the process ended without an answer; a negative code is the signal that killed it."""
    try:
        number = signal.Signals(-code)
    except ValueError:
        return RuntimeError(f"the process that answers the query ended with {code} and gave no answer")
    if number in CRASHES:
        return CrashError(
            f"the statement made DuckDB crash ({number.name}); {UNHARMED}. "
            "Write the statement in another way, or in smaller parts, and report it to DuckDB"
        )
    if number is signal.SIGKILL:
        return CrashError(
            f"the query was killed ({number.name}), most likely because memory ran out; {UNHARMED}. "
            "Ask for less at a time, or lower LOTUSLAKE_MEMORY_LIMIT, beyond which DuckDB spills to disk"
        )
    return CrashError(f"the query was ended from outside ({number.name}); {UNHARMED}")
