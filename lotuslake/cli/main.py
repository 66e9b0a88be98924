"""The program `lotuslake`."""

from __future__ import annotations

import gc
import io
import sys
from typing import Annotated

import typer

from lotuslake import __version__
from lotuslake.cli import (
    accept,
    add_stream,
    backfill,
    demo,
    discover,
    generate_catalog,
    ingest_check,
    maintain,
    query,
    register,
    status,
    transform,
)
from lotuslake.cli import run as run_command
from lotuslake.cli.program import Program

app = typer.Typer(
    name="lotuslake",
    cls=Program,
    help="Airbyte's Parquet files into a tested DuckLake lakehouse, one command at a time.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(value: bool) -> None:
    if value:
        typer.echo(f"lotuslake {__version__}")
        raise typer.Exit


@app.callback()
def _main(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Show the version and end.")
    ] = False,
) -> None:
    pass


for command in (
    ingest_check,
    register,
    transform,
    run_command,
    backfill,
    accept,
    query,
    maintain,
    status,
    demo,
    generate_catalog,
    discover,
    add_stream,
):
    command.add_to(app)


def run() -> None:
    """The program, from `start` or by itself."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # A terminal that knows few letters shows the others by their numbers.
            stream.reconfigure(errors="backslashreplace")
    try:
        app()
    finally:
        # The process ends: taking dbt's hundred thousand objects apart would add half a second.
        gc.freeze()
