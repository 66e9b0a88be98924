"""Programs that may outlive whoever started them, and are stopped by pid only while the pid is still theirs."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

STOP_TIMEOUT_SECONDS = 15
# The system tells when a process began by the clock of the boot, which a corrected clock moves a little.
SAME_START_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Program:
    """A started program: its pid, and when it began, by which a stranger with a recycled pid is told from it.

    Not by its command line: `juicefs` rewrites its own.
    """

    pid: int
    started_at: float

    def is_running(self) -> bool:
        """Whether the pid is alive and still this program."""
        return self._process() is not None

    def has_ended(self) -> bool:
        """Whether the pid is no longer alive, or waits to be buried."""
        try:
            return bool(psutil.Process(self.pid).status() == psutil.STATUS_ZOMBIE)
        except psutil.NoSuchProcess:
            return True

    def stop(self, number: signal.Signals) -> None:
        """Send the signal and wait; kill what does not end within STOP_TIMEOUT_SECONDS."""
        process = self._process()
        if process is None:
            return
        with suppress(psutil.NoSuchProcess):
            process.send_signal(number)
            try:
                process.wait(STOP_TIMEOUT_SECONDS)
            except psutil.TimeoutExpired:
                self.kill()

    def kill(self) -> None:
        """SIGKILL to the program and then to its children, as when the machine loses power."""
        process = self._process()
        if process is None:
            return
        with suppress(psutil.NoSuchProcess):
            family = [process, *process.children(recursive=True)]
            # The parent first: it would notice its children's death and begin to recover.
            for member in family:
                with suppress(psutil.NoSuchProcess):
                    member.kill()
            psutil.wait_procs(family, timeout=STOP_TIMEOUT_SECONDS)

    def _process(self) -> psutil.Process | None:
        with suppress(psutil.Error):
            process = psutil.Process(self.pid)
            is_same = abs(process.create_time() - self.started_at) < SAME_START_SECONDS
            if is_same and process.status() != psutil.STATUS_ZOMBIE:
                return process
        # A child of ours that has ended stays a zombie until somebody asks for its exit code.
        with suppress(ChildProcessError):
            os.waitpid(self.pid, os.WNOHANG)
        return None


def start_program(
    command: Sequence[str], *, folder: Path, log: Path, environment: Mapping[str, str], user: str | None = None
) -> Program:
    """Start it in a session of its own, so that a Ctrl-C in the terminal is not for it, with its output in `log`.

    ``user`` is another user to run as, for root.
    """
    with log.open("ab") as output:
        process = subprocess.Popen(
            command,
            env=dict(environment),
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            user=user,
            extra_groups=None if user is None else (),
        )
    # Program waits for it by pid; left None, Python would warn of a child that is still running.
    process.returncode = 0
    return Program(process.pid, psutil.Process(process.pid).create_time())


def free_ports(count: int) -> list[int]:
    """Ports of 127.0.0.1 that were free a moment ago, all different."""
    with ExitStack() as held:
        sockets = [held.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]
