"""Turns a command's function into a typer command that takes every setting as a flag too."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Annotated, Any, get_type_hints

import typer

from lotuslake.cli.output import Report
from lotuslake.cli.session import execute
from lotuslake.config.variables import SETTINGS, variable

HELP = {
    "project_dir": "Folder that holds streams/ and models/.",
    "landing_url": "Landing root: a folder or s3://bucket/prefix.",
    "data_url": "Where DuckLake writes its own files.",
    "catalog_url": "A DuckDB file, or postgresql://user@host:port/dbname.",
    "landing_profile": "AWS profile for the landing root.",
    "data_profile": "AWS profile for the data root.",
    "batch_max_files": "Files in a batch.",
    "batch_max_bytes": "Bytes in a batch, such as 512MiB.",
    "batch_max_rows": "Rows that a transform reads at once.",
    "backup_retention": "How old a backup of the catalog may be and still find its files, such as 30d.",
    "memory_limit": "DuckDB's memory, such as 2GiB.",
    "threads": "DuckDB's threads.",
    "temp_dir": "Where DuckDB spills and dbt keeps its target.",
    "temp_limit": "What DuckDB may spill, such as 8GiB.",
    "connect_seconds": "How long a first connection that is refused is tried again.",
    "log_format": "text or json.",
}
Selectors = Annotated[
    list[str] | None,
    typer.Argument(metavar="STREAM", help="source/stream, source, or a glob; all when none is given."),
]


def add_command(app: typer.Typer, name: str) -> Callable[[Callable[..., Report]], Callable[..., Report]]:
    """Decorator: ``body(session, **options) -> Report`` becomes command ``name`` of ``app``; its docstring is the help."""

    def decorate(body: Callable[..., Report]) -> Callable[..., Report]:
        def run(**given: Any) -> None:
            flags = {setting: given.pop(setting) for setting in SETTINGS}
            as_json, quiet = given.pop("as_json"), given.pop("quiet")
            raise typer.Exit(execute(name, body, flags, given, as_json=as_json, quiet=quiet))

        parameters = [*_own_parameters(body), *_common_parameters()]
        run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        run.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
        run.__doc__ = body.__doc__
        app.command(name)(run)
        return body

    return decorate


def _own_parameters(body: Callable[..., Report]) -> list[inspect.Parameter]:
    hints = get_type_hints(body, include_extras=True)
    return [
        parameter.replace(annotation=hints[parameter.name], kind=inspect.Parameter.KEYWORD_ONLY)
        for parameter in inspect.signature(body).parameters.values()
        if parameter.name != "session"
    ]


def _common_parameters() -> list[inspect.Parameter]:
    flags = {
        "as_json": (bool, typer.Option("--json", help="Print one JSON envelope instead of tables.")),
        "quiet": (bool, typer.Option("--quiet", "-q", help="Log warnings and errors only.")),
    }
    common = [_keyword(name, Annotated[type_, option], False) for name, (type_, option) in flags.items()]
    return common + [_keyword(setting, Annotated[str | None, _setting(setting)], None) for setting in SETTINGS]


def _setting(name: str) -> Any:
    flag = "--" + name.replace("_", "-")
    return typer.Option(flag, help=f"{HELP[name]} [{variable(name)}]", rich_help_panel="Settings", metavar="TEXT")


def _keyword(name: str, annotation: Any, default: object) -> inspect.Parameter:
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)
