"""Static SQL: files of named blocks, each led by `-- name: what_it_is`."""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files

_NAME = re.compile(r"^-- name: (\w+)$", re.MULTILINE)


@cache
def load_sql(file: str) -> dict[str, str]:
    """The blocks of `lotuslake/sql/{file}.sql` by name, without their comments' first line."""
    text = files(__name__).joinpath(f"{file}.sql").read_text(encoding="utf-8")
    parts = _NAME.split(text)
    return {name: body.strip() for name, body in zip(parts[1::2], parts[2::2], strict=True)}
