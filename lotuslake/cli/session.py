"""One run of one command: settings, adapters, signals, and what a command function is given."""

from __future__ import annotations

import os
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from lotuslake.cli.diagnostics import Signals, complain, complain_of_bug, set_up_logging
from lotuslake.cli.disks import full_folders
from lotuslake.cli.output import Report, failure, print_report
from lotuslake.cli.progress import watch
from lotuslake.cli.wiring import Wiring
from lotuslake.commands.context import RunContext
from lotuslake.commands.lost_files import LossWatch
from lotuslake.config.settings import STATE_DIR, Settings, load_settings
from lotuslake.core.errors import DiskFullError, ExitCode, LotusLakeError
from lotuslake.core.os_errors import explain_os_error
from lotuslake.core.run import Run
from lotuslake.core.stream import Stream


def _explain(error: Exception, wiring: Wiring | None) -> LotusLakeError | None:
    """A full disk, or a file that may not be used, which no adapter has met with yet."""
    if not isinstance(error, OSError):
        return None
    return explain_os_error(error, full_folders(wiring.settings) if wiring else "")


@dataclass(slots=True)
class Session:
    """What a command's function works with."""

    command: str
    wiring: Wiring
    signals: Signals
    as_json: bool = False
    started_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    run_id: str = field(default_factory=lambda: str(uuid.uuid4()))

    @property
    def settings(self) -> Settings:
        """The settings of this run."""
        return self.wiring.settings

    def stage(self, command: str) -> Session:
        """A run of its own for one of several subcommands that this one goes through."""
        return Session(command, self.wiring, self.signals, self.as_json)

    def context(self, *, max_seconds: float | None = None) -> RunContext:
        """The context for a use case that may take ``max_seconds`` from now."""
        deadline = None if max_seconds is None else time.monotonic() + max_seconds

        def should_end() -> bool:
            self.signals.raise_if_requested()
            return deadline is not None and time.monotonic() >= deadline

        return RunContext(
            run_id=self.run_id,
            command=self.command,
            now=lambda: datetime.now(UTC),
            should_end=should_end,
            progress=watch(self.command, self.run_id),
        )

    def loss_watch(self, streams: Sequence[Stream]) -> LossWatch:
        """What notices lost files of these streams' tables."""
        wiring = self.wiring
        return LossWatch(streams, wiring.lost_files, wiring.models, wiring.ledger, self.context())

    def record(self, exit_code: ExitCode, message: str = "") -> None:
        """Write the run into `meta.runs`, unless the lake could not be reached."""
        if exit_code is not ExitCode.UNREACHABLE:
            ended_at = datetime.now(UTC)
            self.wiring.ledger.record_run(
                Run(self.run_id, self.command, self.started_at, ended_at, int(exit_code), message)
            )


def execute(
    command: str,
    body: Callable[..., Report],
    flags: Mapping[str, str | None],
    options: Mapping[str, Any],
    *,
    as_json: bool,
    quiet: bool,
) -> int:
    """Run a command's function and answer with its exit code; every error ends as one plain line."""
    environ = dict(os.environ)
    set_up_logging(flags.get("log_format") or environ.get("LOTUSLAKE_LOG_FORMAT"), environ, quiet=quiet)
    signals = Signals()
    wiring: Wiring | None = None
    session: Session | None = None
    try:
        wiring = Wiring(load_settings(environ, flags, Path.cwd()), environ)
        session = Session(command, wiring, signals, as_json)
        wiring.interrupt = session.signals.raise_if_requested
        report = body(session, **options)
    except LotusLakeError as error:
        report = failure(command, error)
    except Exception as error:  # noqa: BLE001  (the last line of defence: a bug is told, not thrown at the person)
        known = _explain(error, wiring)
        if known is None:
            state_dir = wiring.settings.temp_dir.parent if wiring else Path.cwd() / STATE_DIR
            run_id = session.run_id if session else None
            bug = complain_of_bug(error, environ, command, run_id, state_dir / "error.log")
            if as_json:
                print_report(failure(command, bug), as_json=True)
            return int(bug.exit_code)
        report = failure(command, known)
    finally:
        if wiring is not None:
            wiring.close()
    signals.work_is_done()
    # One cause may meet every stream; it is told once.
    for told in {item.error.message: item.error for item in report.errors}.values():
        complain(told, environ, command)
    try:
        print_report(report, as_json=as_json)
    except DiskFullError as error:
        return int(report.exit_code or complain(error, environ, command))
    return int(report.exit_code)
