"""Whether a line asks for a subcommand, an option or a make target that exists."""

import re
import shlex
from typing import Any

import typer.main

from lotuslake.cli.main import app
from tests.support.manifests import ROOT


def problems(line: str) -> list[str]:
    """What a line asks of our program, or of make, that is not there."""
    try:
        words = shlex.split(line, comments=True)
    except ValueError:
        words = line.split()
    if words[:1] == ["make"]:
        targets = re.findall(r"^([a-z][a-z0-9-]*):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
        asked = [word for word in words[1:] if re.fullmatch(r"[a-z][a-z0-9-]*", word)]
        return [f"make {word}" for word in asked[:1] if word not in targets]
    if words[:1] != ["lotuslake"] or len(words) < 2 or not re.fullmatch(r"[a-z-]+", words[1]):
        return []
    commands: dict[str, Any] = typer.main.get_command(app).commands  # type: ignore[attr-defined]
    if words[1].startswith("-"):
        return []
    if words[1] not in commands:
        return [f"lotuslake {words[1]}"]
    known = {text for option in commands[words[1]].params for text in option.opts} | {"--help", "-h"}
    return [
        f"lotuslake {words[1]} {word}"
        for word in words[2:]
        if word.startswith("--") and word.split("=")[0] not in known
    ]
