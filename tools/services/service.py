"""What SeaweedFS and Postgres have in common as services of this machine."""

from __future__ import annotations

import signal
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar, TypeVar

from tools.services.program import Program, free_ports, start_program

START_ATTEMPTS = 3
START_TIMEOUT_SECONDS = 60
LOG_TAIL_CHARACTERS = 2000


class ServiceError(Exception):
    """A service did not come up; the text says why, or holds the end of its log."""


class Service(ABC):
    """A program that listens on ``ports`` and keeps its data and its log in ``folder``."""

    name: ClassVar[str]
    port_count: ClassVar[int]
    stop_signal: ClassVar[signal.Signals] = signal.SIGTERM
    user: str | None = None

    def __init__(self, folder: Path, on_start: Callable[[], None] = lambda: None) -> None:
        self.folder = folder.absolute()
        self.ports: list[int] = []
        self.program: Program | None = None
        # Told of a new pid before anything else is done: it must not be lost when we are killed now.
        self.on_start = on_start

    def is_running(self) -> bool:
        """Whether the program that was started is alive."""
        return self.program is not None and self.program.is_running()

    @property
    def pid(self) -> int:
        """The pid of the program that was started last."""
        if self.program is None:
            raise ServiceError(f"{self.name} was not started")
        return self.program.pid

    def start(self) -> None:
        """Start it on its ports and wait until it answers; a service that is running is left alone.

        Raises:
            ServiceError: it ended, or did not answer within START_TIMEOUT_SECONDS.
        """
        if self.is_running():
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        self.prepare()
        self.program = start_program(
            self.command(), folder=self.folder, log=self.log, environment=self.own_environment(), user=self.user
        )
        self.on_start()
        deadline = time.monotonic() + START_TIMEOUT_SECONDS
        while not self.answers():
            if self.program.has_ended() or time.monotonic() > deadline:
                self.kill()
                tail = self.log.read_text(errors="replace")[-LOG_TAIL_CHARACTERS:]
                raise ServiceError(f"{self.name} did not start; the end of {self.log}:\n{tail}")
            time.sleep(0.05)

    def start_on_free_ports(self) -> None:
        """As `start`, with ports chosen anew; again if another program takes one before it is bound."""
        for attempt in range(START_ATTEMPTS):
            self.ports = free_ports(self.port_count)
            try:
                self.start()
            except ServiceError:
                if attempt == START_ATTEMPTS - 1:
                    raise
            else:
                return

    def stop(self) -> None:
        """End it as its makers advise; its data and its ports stay for the next `start`."""
        if self.program is not None:
            self.program.stop(self.stop_signal)

    def kill(self) -> None:
        """End it as a power cut would."""
        if self.program is not None:
            self.program.kill()

    @property
    def log(self) -> Path:
        """What it printed, of all its starts."""
        return self.folder / "log"

    def document(self) -> dict[str, Any]:
        """All that `restore` needs, secrets too."""
        program = None if self.program is None else {"pid": self.program.pid, "started_at": self.program.started_at}
        return {"ports": self.ports, "program": program, "secrets": self.secrets()}

    def restore(self, document: Mapping[str, Any]) -> None:
        """Take up what another process started, or may have."""
        self.ports = list(document["ports"])
        program = document["program"]
        self.program = None if program is None else Program(program["pid"], program["started_at"])
        self.set_secrets(document["secrets"])

    @abstractmethod
    def prepare(self) -> None:
        """Make what the program wants to find."""

    @abstractmethod
    def command(self) -> list[str]:
        """The command line: no secret in it, and this folder, so that no other service has the same."""

    @abstractmethod
    def own_environment(self) -> dict[str, str]:
        """The program's own environment."""

    @abstractmethod
    def answers(self) -> bool:
        """Whether it is ready for clients."""

    @abstractmethod
    def secrets(self) -> dict[str, str]:
        """Every secret by its name."""

    @abstractmethod
    def set_secrets(self, secrets: Mapping[str, str]) -> None:
        """Take the secrets of an earlier start."""


AnyService = TypeVar("AnyService", bound=Service)


@contextmanager
def running(service: AnyService) -> Iterator[AnyService]:
    """The service on free ports, stopped at the end."""
    service.start_on_free_ports()
    try:
        yield service
    finally:
        service.stop()
