"""`python -m tools.docs.cli_reference [FILE]`: the page docs/cli.md, made from the program itself."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import typer.main

from lotuslake.cli.main import app
from lotuslake.config.variables import SETTINGS

HEAD = """# Command line

Made from the program by `make docs`; do not edit. What each ends with: [exit codes](exit-codes.md). What `--json` prints:
[JSON output](json-output.md).

A STREAM is `source/stream`, `source`, or a glob, and all streams where none is named. The result goes to stdout, everything
else to stderr.
"""
ORDER = ("ingest-check", "register", "transform", "generate-catalog", "backfill")
COMMON = ("as_json", "quiet", "help")


def render() -> str:
    """The whole page."""
    # What typer builds on is a click of its own making: only the shape of its commands counts.
    commands: dict[str, Any] = typer.main.get_command(app).commands  # type: ignore[attr-defined]
    names = [*ORDER, *sorted(set(commands) - set(ORDER))]
    parts = [HEAD, *(_command(name, commands[name]) for name in names)]
    parts += ["## Every command\n", _common(commands[names[0]]), _settings(commands[names[0]])]
    return "\n".join(parts)


def _command(name: str, command: Any) -> str:
    own = [one for one in command.params if one.name not in (*SETTINGS, *COMMON)]
    usage = " ".join(["lotuslake", name, *(_argument(one) for one in own if not _is_option(one))])
    lines = [f"## {name}\n", f"`{usage} [OPTIONS]`\n", f"{command.help}\n"]
    options = [one for one in own if _is_option(one)]
    if options:
        lines.append(_table("option", [(_flag(one), _help(one)) for one in options]))
    return "\n".join(lines)


def _common(command: Any) -> str:
    found = [one for one in command.params if one.name in ("as_json", "quiet")]
    return _table("option", [(_flag(one), _help(one)) for one in found])


def _settings(command: Any) -> str:
    """The settings, each with the variable that it stands for."""
    found = [one for one in command.params if one.name in SETTINGS]
    rows = [(_flag(one), *str(one.help).removesuffix("]").rsplit(" [", 1)) for one in found]
    lines = ["Settings, which win over the environment ([all about them](settings.md)):\n"]
    lines += ["| option | | variable |", "|---|---|---|"]
    lines += [f"| {flag} | {text} | `{name}` |" for flag, text, name in rows]
    return "\n".join(lines) + "\n"


def _is_option(parameter: Any) -> bool:
    return str(parameter.param_type_name) == "option"


def _argument(parameter: Any) -> str:
    name = str(parameter.metavar or parameter.name).upper() + ("…" if parameter.nargs == -1 else "")
    return name if parameter.required else f"[{name}]"


def _flag(option: Any) -> str:
    value = "" if option.is_flag else f" {option.metavar or _kind(option)}"
    return ", ".join(f"`{text}{value}`" for text in reversed(option.opts))


def _kind(option: Any) -> str:
    return {int: "N", float: "N", Path: "FILE"}.get(option.type_descriptor.annotation, "TEXT")


def _help(option: Any) -> str:
    text = str(option.help or "")
    if option.multiple or option.is_flag or option.default in (None, "", []) or callable(option.default):
        return text
    return f"{text} Default: {option.default}."


def _table(title: str, rows: list[tuple[str, str]]) -> str:
    lines = [f"| {title} | |", "|---|---|", *(f"| {name} | {text} |" for name, text in rows)]
    return "\n".join(lines) + "\n"


def main() -> int:
    """Write the page, or print it."""
    if sys.argv[1:]:
        Path(sys.argv[1]).write_text(render(), encoding="utf-8")
    else:
        sys.stdout.write(render())
    return 0


if __name__ == "__main__":
    sys.exit(main())
