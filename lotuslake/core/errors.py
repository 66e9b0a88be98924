"""Everything that can be told to a person in one line, with the exit code that goes with it."""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum


class ExitCode(IntEnum):
    """What the process says to its caller; documented in docs/exit-codes.md."""

    DONE = 0
    FAILED = 1
    USAGE = 2
    UNREACHABLE = 3
    BUSY = 4
    FINDINGS = 5
    PENDING = 10
    INTERRUPTED = 130
    TERMINATED = 143


class LotusLakeError(Exception):
    """Base of every expected failure: its text is the whole message for the person."""

    exit_code = ExitCode.FAILED
    code = "failed"

    def __init__(self, message: str, *, stream: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.stream = stream

    @property
    def parts(self) -> tuple[LotusLakeError, ...]:
        """What is told one by one: the error itself, unless it stands for several."""
        return (self,)


class ConfigError(LotusLakeError):
    """A setting, a stream file or an argument is wrong."""

    exit_code = ExitCode.USAGE
    code = "config"


class RefusedError(ConfigError):
    """A service refuses what the settings name, credentials, bucket or database; so it would for every stream."""

    code = "refused"


class WrongUsageError(ConfigError):
    """The command line itself is wrong."""

    code = "usage"


class MistakesError(ConfigError):
    """Several mistakes, each with a message of its own: a person wants to hear of all of them at once."""

    def __init__(self, errors: Sequence[ConfigError]) -> None:
        super().__init__("; ".join(error.message for error in errors))
        self.errors = tuple(errors)

    @property
    def parts(self) -> tuple[LotusLakeError, ...]:
        """The mistakes one by one."""
        return self.errors


class UnreachableError(LotusLakeError):
    """A service could not be reached, refused us, or cut the line."""

    exit_code = ExitCode.UNREACHABLE
    code = "unreachable"


class DiskFullError(UnreachableError):
    """A disk, or a quota on it, has no room left; what was under way was rolled back."""

    code = "disk_full"


class CrashError(LotusLakeError):
    """DuckDB crashed, or failed by a fault of its own."""

    code = "crashed"


class LostRaceError(LotusLakeError):
    """Another process committed first, more often than the retries allow."""

    exit_code = ExitCode.BUSY
    code = "lost_race"


class CatalogHeldError(LotusLakeError):
    """The embedded catalog is held by another process."""

    exit_code = ExitCode.BUSY
    code = "catalog_held"


class SourceBusyError(LotusLakeError):
    """Airbyte is at work on the connection already."""

    exit_code = ExitCode.BUSY
    code = "source_busy"


class ModelError(LotusLakeError):
    """A dbt model does not build on its data: a finding until it does."""

    exit_code = ExitCode.FINDINGS
    code = "model"


class InvalidModelError(ModelError):
    """A dbt model does not compile, or names what is not there."""

    exit_code = ExitCode.USAGE


class StatementError(LotusLakeError):
    """A statement of our own failed on what is no fault of a file."""

    code = "statement"


class ShrunkError(LotusLakeError):
    """A table would be left with fewer rows than the step allows; it stays as it is."""

    code = "shrunk"

    def __init__(self, model: str, rows_before: int, rows_after: int) -> None:
        super().__init__(f"{model} would fall from {rows_before} to {rows_after} rows")
        self.rows_before = rows_before
        self.rows_after = rows_after


class NotCarriedError(LotusLakeError):
    """Rows of a table cannot be carried forward into the one that takes its place; it stays as it is."""

    code = "not_carried"


class StaleError(LotusLakeError):
    """`--check` found generated files that are not what the configuration gives now."""

    code = "stale"


class StopRequestedError(LotusLakeError):
    """A signal asked the process to end; the current batch was finished or rolled back."""

    code = "stopped"

    def __init__(self, exit_code: ExitCode) -> None:
        super().__init__("stopped on request; run the same command again to go on")
        self.exit_code = exit_code
