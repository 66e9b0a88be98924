"""What dbt says of a model that does not build, in one line."""

from __future__ import annotations

import re

from lotuslake.adapters.duckdb_errors import hear, redact
from lotuslake.core.errors import InvalidModelError, ModelError

# DuckDB's own kinds for a statement that can never run; dbt's own heading is for one that it cannot even put together.
DOES_NOT_BIND = frozenset({"Binder", "Catalog", "Parser", "Syntax"})
_DOES_NOT_COMPILE = re.compile(r"\A\s*(Compilation|Parsing|Dependency) Error\b")
_WHERE = re.compile(r"Error in model \w+ \((?P<file>[^)\n]+)\)")
# DuckDB quotes the value that it could not take.
ABOUT_VALUES = frozenset({"Conversion", "Constraint", "Invalid Input", "Mismatch Type", "Out of Range"})
_QUOTED = re.compile(r"'[^'\n]*'|\"[^\"\n]*\"")


class DbtError(Exception):
    """A model did not build; the text is dbt's, with DuckDB's in it."""


def model_error(model: str, text: str) -> ModelError:
    """The error for a model that does not build, without the values of any row."""
    found = _WHERE.search(text)
    where = f" (models/{found['file']})" if found else ""
    if _DOES_NOT_COMPILE.match(text):
        return InvalidModelError(f"model {model} does not compile{where}: {_second_line(text)}")
    said = hear(text)
    line = _QUOTED.sub("'…'", said.line) if said.kind in ABOUT_VALUES else said.line
    kind = InvalidModelError if said.kind in DOES_NOT_BIND else ModelError
    return kind(f"model {model} does not build{where}: {line}")


def _second_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return redact(lines[min(1, len(lines) - 1)])
