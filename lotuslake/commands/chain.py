"""`run`: register, then transform, in one process: dbt starts while the first files are registered."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from lotuslake.commands.context import Progress, RunContext
from lotuslake.commands.register import RegisterOptions, RegisterPorts, RegisterResult, register
from lotuslake.commands.transform import transform
from lotuslake.commands.transformation import TransformOptions, TransformPorts, TransformResult
from lotuslake.core.errors import ExitCode
from lotuslake.core.stream import Stream
from lotuslake.ports.transformer import Transformer

# After these a chain of subcommands goes on.
GO_ON = frozenset({ExitCode.DONE, ExitCode.FINDINGS})


@dataclass(frozen=True, slots=True)
class Stage:
    """A subcommand of the chain: ``context`` bears its name, ``ended`` is told its exit code."""

    context: RunContext
    ended: Callable[[ExitCode], None]


@dataclass(frozen=True, slots=True)
class ChainResult:
    """``transformed`` is None where registering stopped the chain."""

    registered: RegisterResult
    transformed: TransformResult | None

    @property
    def exit_code(self) -> ExitCode:
        """The code that stopped the chain, else 5 if any stage gave 5, else 0."""
        codes = [stage.exit_code for stage in (self.registered, self.transformed) if stage is not None]
        stopped = [code for code in codes if code not in GO_ON]
        return stopped[0] if stopped else max(codes)


def run_chain(
    streams: Sequence[Stream],
    ports: tuple[RegisterPorts, TransformPorts],
    options: tuple[RegisterOptions, TransformOptions],
    stages: tuple[Stage, Stage],
) -> ChainResult:
    """Register and transform these streams as two subcommands in a row would."""
    registering, transforming = stages
    if not ports[0].ledger.exists():
        # Everything is yet to be done, the lake itself first.
        ports[1].transformer.warm_up()
    progress = _StartsDbt(registering.context.progress, ports[1].transformer)
    registered = register(streams, ports[0], options[0], replace(registering.context, progress=progress))
    registering.ended(registered.exit_code)
    if registered.exit_code not in GO_ON:
        return ChainResult(registered, None)
    transformed = transform(streams, ports[1], options[1], transforming.context)
    transforming.ended(transformed.exit_code)
    return ChainResult(registered, transformed)


class _StartsDbt:
    """Progress that has dbt start as soon as there is something to register, and so to transform."""

    def __init__(self, progress: Progress, transformer: Transformer) -> None:
        self._progress = progress
        self._transformer = transformer

    def begin(self, label: str, batches: int) -> None:
        if batches:
            self._transformer.warm_up()
        self._progress.begin(label, batches)

    def advance(self, label: str, message: str) -> None:
        self._progress.advance(label, message)

    def wait(self, label: str, message: str) -> None:
        self._progress.wait(label, message)
