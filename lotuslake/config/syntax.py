"""What a file's syntax can be told to lack: where, what, and what to do about it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from lotuslake.core.errors import ConfigError, MistakesError

if TYPE_CHECKING:
    import yaml

MAX_DEPTH = 64

# By what the parser says (libyaml's own words): what a person can do about it.
_REMEDIES = (
    ("found another document", "a second document begins here (---); one file holds one stream"),
    ("mapping values are not allowed", "put a text that has a colon in quotes, and mind the indentation"),
    ("could not find expected ':'", "a line that is neither `key: value` nor below one"),
    ("did not find expected key", "the indentation is not that of the lines above, or a quote is missing"),
    ("did not find expected ',' or", "a bracket or a quote above is not closed, or a comma is missing"),
    ("did not find expected '-' indicator", "the entries of a list stand one below the other"),
    ("block sequence entries are not allowed", "a list begins on a line of its own"),
    ("did not find expected node content", "a value is missing, or a bracket is not closed"),
    ("unexpected end of stream", "a quote is not closed"),
    ("undefined alias", "no anchor (&) of this name stands above it"),
    ("duplicate anchor", "give each anchor a name of its own"),
    ("unknown escape character", "write a backslash twice, or use single quotes"),
    ("expected a mapping or list of mappings for merging", "`<<` takes an alias of a mapping, such as <<: *common"),
    ("found unhashable key", "a key is a text; brackets or braces need quotes"),
    ("cannot start any token", "put a text that begins with @, %, ` or another sign in quotes"),
    ("could not determine a constructor", "write plain values"),
)


def explain_yaml(error: yaml.MarkedYAMLError, text: str, shown: str) -> ConfigError:
    """One line for what a YAML parser refused."""
    mark = error.problem_mark or error.context_mark
    problem = str(error.problem or error.context)
    if "could not determine a constructor for the tag" in problem:
        problem = f"the tag {problem.split(chr(39))[1]} is not allowed"
        remedy = "write plain values"
    else:
        remedy = next((help_ for words, help_ in _REMEDIES if words in problem), "see the line, and the one above it")
    if mark is None:
        return ConfigError(f"{shown}: not valid YAML: {problem}; {remedy}")
    if "could not find expected ':'" in problem and error.context_mark:
        mark = error.context_mark  # It is missed only in the line below.
    lines = text.splitlines()
    if mark.line < len(lines) and lines[mark.line][: mark.column + 1].strip(" -").startswith("\t"):
        problem, remedy = "the line is indented with a tab", "use spaces"
    return ConfigError(f"{shown}, line {mark.line + 1}: not valid YAML: {problem}; {remedy}")


def refuse_repeated(repeated: Sequence[tuple[str, int, int]], shown: str) -> None:
    """Keys that stand twice, with the lines of both. Raises ConfigError, or MistakesError for several."""
    errors = [
        ConfigError(f"{shown}, line {line}: key {key!r} twice, first in line {first}; keep one of them")
        for key, line, first in repeated
    ]
    if errors:
        raise errors[0] if len(errors) == 1 else MistakesError(errors)


def too_deep(shown: str, line: int | None = None) -> ConfigError:
    """The error for what is nested too deeply."""
    at = f", line {line}" if line else ""
    return ConfigError(f"{shown}{at}: nested deeper than {MAX_DEPTH} levels")
