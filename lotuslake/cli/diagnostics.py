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

from lotuslake.core.errors import ExitCode, LotusLakeError, StopRequestedError

SECRET_VARIABLES = ("AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "PGPASSWORD", "AIRBYTE_CLIENT_SECRET")
MIN_SECRET_LENGTH = 4

logger = logging.getLogger("lotuslake")


class JsonFormatter(logging.Formatter):
    """One JSON object a line, with the fields `action`, `stream` and `run_id`."""

    def format(self, record: logging.LogRecord) -> str:
        """See logging.Formatter."""
        document = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "message": record.getMessage(),
        }
        for field in ("action", "stream", "run_id"):
            value = getattr(record, field, None)
            if value is not None:
                document[field] = value
        if record.exc_info:
            document["trace"] = self.formatException(record.exc_info)
        return json.dumps(document, ensure_ascii=False)


class TextFormatter(logging.Formatter):
    """A line for a person: what happened, and to which stream."""

    def format(self, record: logging.LogRecord) -> str:
        """See logging.Formatter."""
        stream = getattr(record, "stream", None)
        level = "" if record.levelno <= logging.INFO else f"{record.levelname.lower()}: "
        return f"{level}{stream + ': ' if stream else ''}{record.getMessage()}"


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


def set_up_logging(log_format: str | None, environ: Mapping[str, str], *, quiet: bool) -> None:
    """Log to stderr: text on a terminal unless JSON was asked for, JSON elsewhere unless text was."""
    chosen = log_format or ("text" if sys.stderr.isatty() else "json")
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter() if chosen == "json" else TextFormatter())
    handler.addFilter(Redaction(environ))
    logger.handlers = [handler]
    logger.propagate = False
    logger.setLevel(logging.WARNING if quiet else logging.INFO)


def complain(error: LotusLakeError, environ: Mapping[str, str], command: str) -> ExitCode:
    """Tell the person in one line and return the exit code."""
    text = Redaction(environ).clean(error.message)
    logger.error(text, extra={"action": command, "stream": error.stream})
    return error.exit_code


def complain_of_bug(error: BaseException, environ: Mapping[str, str], command: str, trace_file: Path) -> ExitCode:
    """A bug: one line for the person, the whole trace in a file."""
    redaction = Redaction(environ)
    trace = redaction.clean("".join(traceback.format_exception(error)))
    try:
        trace_file.parent.mkdir(parents=True, exist_ok=True)
        with trace_file.open("a", encoding="utf-8") as file:
            file.write(f"{datetime.now(UTC).isoformat(timespec='seconds')} {command}\n{trace}\n")
        where = f"the trace is in {trace_file}"
    except OSError:
        where = f"the trace could not be written to {trace_file}"
    summary = redaction.clean(str(error).split("\n", 1)[0])[:300]
    logger.error(f"unexpected {type(error).__name__}: {summary} ({where})", extra={"action": command})  # noqa: G004
    return ExitCode.FAILED


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
