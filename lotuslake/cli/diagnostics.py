"""Everything that goes to stderr, and the exit code of every error."""

from __future__ import annotations

import json
import logging
import signal
import sys
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import TextIO

from lotuslake.core.errors import ExitCode, LotusLakeError, StopRequestedError

SECRET_VARIABLES = ("AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "PGPASSWORD", "AIRBYTE_CLIENT_SECRET")
MIN_SECRET_LENGTH = 4
MAX_SUMMARY = 300
WAIT_LINE_SECONDS = 10

logger = logging.getLogger("lotuslake")


class JsonFormatter(logging.Formatter):
    """One JSON object a line, with the fields `action`, `stream` and `run_id`, and `trace` after a bug."""

    def format(self, record: logging.LogRecord) -> str:
        """See logging.Formatter."""
        document = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "message": record.getMessage(),
        }
        for field in ("action", "stream", "run_id", "trace"):
            value = getattr(record, field, None)
            if value is not None:
                document[field] = value
        return json.dumps(document, ensure_ascii=False)


class TextFormatter(logging.Formatter):
    """A line for a person: what happened, and to which stream; the trace of a bug only where nobody sits at a terminal."""

    def __init__(self, *, shows_trace: bool) -> None:
        super().__init__()
        self._shows_trace = shows_trace

    def format(self, record: logging.LogRecord) -> str:
        """See logging.Formatter."""
        stream = getattr(record, "stream", None)
        level = "" if record.levelno <= logging.INFO else f"{record.levelname.lower()}: "
        trace = getattr(record, "trace", "") if self._shows_trace else ""
        return f"{level}{stream + ': ' if stream else ''}{record.getMessage()}" + (
            f"\n{trace.rstrip()}" if trace else ""
        )


class Redaction(logging.Filter):
    """Takes the values of secret variables out of every line, whoever wrote them into it."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        super().__init__()
        self._secrets = [environ[name] for name in SECRET_VARIABLES if len(environ.get(name, "")) >= MIN_SECRET_LENGTH]

    def filter(self, record: logging.LogRecord) -> bool:
        """See logging.Filter."""
        record.msg, record.args = self.clean(record.getMessage()), ()
        return True

    def clean(self, text: str) -> str:
        """The text without secrets."""
        for secret in self._secrets:
            text = text.replace(secret, "…")
        return text


class ErrHandler(logging.StreamHandler[TextIO]):
    """Writes to stderr. A wait is one line that counts on a terminal, else a line at once and every ten seconds."""

    def __init__(self) -> None:
        super().__init__(sys.stderr)
        self._is_terminal = sys.stderr.isatty()
        self._counts = False

    def emit(self, record: logging.LogRecord) -> None:
        """See logging.Handler."""
        seconds = getattr(record, "waited_seconds", None)
        if not self._is_terminal:
            if seconds is None or seconds % WAIT_LINE_SECONDS == 0:
                super().emit(record)
            return
        if seconds is not None:
            self.stream.write(f"\r\x1b[2K{self.format(record)}")
            self.flush()
        else:
            # What was waited for has come, or not: what is said now stands below.
            self.stream.write("\n" if self._counts else "")
            super().emit(record)
        self._counts = seconds is not None


def set_up_logging(log_format: str | None, environ: Mapping[str, str], *, quiet: bool) -> None:
    """Log to stderr: text on a terminal unless JSON was asked for, JSON elsewhere unless text was."""
    chosen = log_format or ("text" if sys.stderr.isatty() else "json")
    handler = ErrHandler()
    handler.setFormatter(JsonFormatter() if chosen == "json" else TextFormatter(shows_trace=not sys.stderr.isatty()))
    handler.addFilter(Redaction(environ))
    logger.handlers = [handler]
    logger.propagate = False
    logger.setLevel(logging.WARNING if quiet else logging.INFO)


def complain(error: LotusLakeError, environ: Mapping[str, str], command: str) -> ExitCode:
    """Tell the person in one line and return the exit code."""
    text = Redaction(environ).clean(error.message)
    logger.error(text, extra={"action": command, "stream": error.stream})
    return error.exit_code


def complain_of_bug(
    error: BaseException, environ: Mapping[str, str], command: str, run_id: str | None, trace_file: Path
) -> LotusLakeError:
    """A bug: one line for the person, with the trace in the log record and, in full, in a file.

    The record's trace has each error's first line alone, since DuckDB repeats statements and rows in those below.
    """
    redaction = Redaction(environ)
    full = redaction.clean("".join(traceback.format_exception(error)))
    where = _keep_trace(f"{datetime.now(UTC).isoformat(timespec='seconds')} {command}\n{full}\n", trace_file)
    summary = redaction.clean(_first_line(error))
    told = LotusLakeError(f"unexpected {type(error).__name__}: {summary} ({where})")
    trace = redaction.clean("".join(_trace(error)))
    logger.error(told.message, extra={"action": command, "run_id": run_id, "trace": trace})
    return told


def _keep_trace(text: str, trace_file: Path) -> str:
    try:
        trace_file.parent.mkdir(parents=True, exist_ok=True)
        with trace_file.open("a", encoding="utf-8") as file:
            file.write(text)
    except OSError:
        return f"the trace could not be written to {trace_file}"
    return f"the trace is in {trace_file}"


def _first_line(error: BaseException) -> str:
    return str(error).split("\n", 1)[0][:MAX_SUMMARY]


def _trace(error: BaseException) -> Iterator[str]:
    """As Python shows it, causes first, with the first line of each error's text."""
    before = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if before is not None:
        yield from _trace(before)
        yield "\nThen:\n\n"
    yield from traceback.format_tb(error.__traceback__)
    yield f"{type(error).__name__}: {_first_line(error)}\n"


class Signals:
    """SIGTERM and Ctrl-C end the run after the current batch; a second one ends it at once."""

    def __init__(self) -> None:
        self._requested: ExitCode | None = None
        self._nothing_to_finish = False
        self._work_is_done = False
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._note)

    def raise_if_requested(self) -> None:
        """Raise StopRequestedError once a signal has come."""
        if self._requested is not None:
            raise StopRequestedError(self._requested)

    @contextmanager
    def at_once(self) -> Iterator[None]:
        """While it lasts a signal raises StopRequestedError wherever the program is: what is under way only reads."""
        self.raise_if_requested()
        self._nothing_to_finish = True
        try:
            yield
        finally:
            self._nothing_to_finish = False

    def work_is_done(self) -> None:
        """From now on a signal ends the program: there is nothing left to do but to say what was done."""
        self._work_is_done = True

    def _note(self, number: int, frame: FrameType | None) -> None:
        del frame
        code = ExitCode.TERMINATED if number == signal.SIGTERM else ExitCode.INTERRUPTED
        if self._requested is not None or self._work_is_done:
            raise SystemExit(int(code))
        self._requested = code
        if self._nothing_to_finish:
            raise StopRequestedError(code)
        logger.warning("stopping after the current batch")
