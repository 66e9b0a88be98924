"""One YAML or JSON file as plain values: text, numbers, booleans, lists and mappings with text keys, nothing else."""

from __future__ import annotations

import logging
import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from lotuslake.config.json_document import parse_json
from lotuslake.config.lines import LinedMapping
from lotuslake.config.syntax import MAX_DEPTH, explain_yaml, refuse_repeated, too_deep
from lotuslake.core.errors import ConfigError, MistakesError

logger = logging.getLogger("lotuslake")

MAX_VALUES = 100_000


class _Loader(yaml.CSafeLoader):
    """Safe YAML with the scalars of YAML 1.2 (`no`, `on`, 1:30 and dates are text); mappings know their keys' lines.

    ``repeated`` are keys that stand twice in one mapping: the key, its line, and the line of the first.
    """

    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012 - PyYAML's own class attribute, filled below

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.repeated: list[tuple[str, int, int]] = []

    def construct_lined(self, node: yaml.MappingNode) -> Iterator[LinedMapping]:
        """A mapping that may hold itself, by an alias: so it is there before its values are."""
        first: dict[str, int] = {}
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode):
                line = key.start_mark.line + 1
                if key.value in first:
                    self.repeated.append((key.value, line, first[key.value]))
                first.setdefault(key.value, line)
        values = LinedMapping()
        yield values
        values.update(self.construct_mapping(node))
        # Merged keys (`<<`) stand before the mapping's own by now, which win.
        values.lines |= {self.construct_object(key): key.start_mark.line + 1 for key, _ in node.value}


_Loader.add_constructor("tag:yaml.org,2002:map", _Loader.construct_lined)


def _add_scalar(kind: str, pattern: str, first: str) -> None:
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{kind}", re.compile(pattern), list(first))


_add_scalar("null", r"^(?:~|null|Null|NULL)$", "~nN")
_Loader.add_implicit_resolver("tag:yaml.org,2002:null", re.compile(r"^$"), [""])
_add_scalar("bool", r"^(?:true|True|TRUE|false|False|FALSE)$", "tTfF")
_add_scalar("int", r"^[-+]?(?:0|[1-9][0-9_]{0,30})$", "-+0123456789")
_add_scalar("float", r"^[-+]?(?:\.[0-9]+|[0-9]+\.[0-9]*|[0-9]+(?=[eE]))(?:[eE][-+]?[0-9]+)?$", "-+.0123456789")
_add_scalar("float", r"^[-+]?\.(?:inf|Inf|INF)$|^\.(?:nan|NaN|NAN)$", "-+.")
_add_scalar("merge", r"^<<$", "<")


def load_document(path: Path, shown: str) -> dict[str, Any]:
    """The mapping that a file holds; ``shown`` is how messages name the file.

    Its mappings are LinedMappings. Raises ConfigError, or MistakesError for several mistakes.
    """
    text = _read(path, shown)
    if not text.strip():
        raise ConfigError(f"{shown}: the file is empty; see the stream files in docs for what it holds")
    values = _parse(text, shown, path.suffix.lower() == ".json")
    if values is None:
        raise ConfigError(f"{shown}: the file holds nothing but comments")
    if not isinstance(values, dict):
        kind = "a list" if isinstance(values, list) else "a single value"
        raise ConfigError(f"{shown}: the file must hold a mapping of keys, not {kind}")
    _check_values(values, shown)
    return values


def _read(path: Path, shown: str) -> str:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ConfigError(f"{shown}: cannot be read: {error.strerror}") from None
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ConfigError(f"{shown}, line {line}: not UTF-8 text (byte {error.start}); save it as UTF-8") from None


def _parse(text: str, shown: str, is_json: bool) -> Any:  # noqa: FBT001 - what kind of file it is
    if is_json:
        return parse_json(text, shown)
    if text.lstrip().startswith("{") and "\t" in text:
        # JSON by another name: it may be indented with tabs, which YAML refuses.
        try:
            return parse_json(text, shown)
        except ConfigError:
            logger.debug("%s is no JSON", shown)
    return _parse_yaml(text, shown)


def _parse_yaml(text: str, shown: str) -> Any:
    try:
        _refuse_depth(text, shown)
        loader = _Loader(text)
        try:
            values = loader.get_single_data()
        finally:
            loader.dispose()
    except yaml.MarkedYAMLError as error:
        raise explain_yaml(error, text, shown) from None
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        line = text.count("\n", 0, error.position) + 1 if isinstance(error, yaml.reader.ReaderError) else None
        at = f", line {line}" if line else ""
        first_line = (str(error) or type(error).__name__).splitlines()[0]
        raise ConfigError(f"{shown}{at}: not valid YAML: {first_line}; remove it") from None
    refuse_repeated(loader.repeated, shown)
    return values


def _refuse_depth(text: str, shown: str) -> None:
    """Parser events come without recursion, so a hostile file cannot exhaust the stack."""
    depth = 0
    for event in yaml.parse(text, Loader=_Loader):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > MAX_DEPTH:
            raise too_deep(shown)


def _check_values(values: dict[str, Any], shown: str) -> None:
    """Walk what aliases expand to: bounded in depth and number, of plain finite values, with text keys."""
    count = 0
    mistakes: list[ConfigError] = []
    rest: list[tuple[Any, str, int | None, int]] = [(values, "", None, 0)]
    while rest:
        value, key, line, depth = rest.pop()
        count += 1
        if depth > MAX_DEPTH:
            raise too_deep(shown, line)
        if count > MAX_VALUES:
            raise ConfigError(f"{shown}: holds more than {MAX_VALUES} values; are there aliases of aliases?")
        if isinstance(value, dict):
            lines = value.lines if isinstance(value, LinedMapping) else {}
            rest.extend((inner, name, lines.get(name), depth + 1) for name, inner in reversed(value.items()))
        elif isinstance(value, list):
            rest.extend((inner, key, line, depth + 1) for inner in reversed(value))
        if problem := _problem(key, value):
            mistakes.append(ConfigError(f"{shown}{f', line {line}' if line else ''}: {problem}"))
    if mistakes:
        raise mistakes[0] if len(mistakes) == 1 else MistakesError(mistakes)


def _problem(key: Any, value: Any) -> str | None:
    if not isinstance(key, str):
        return f"the key {key!r} is not text; put it in quotes"
    if isinstance(value, float) and not math.isfinite(value):
        return f"key {key!r} must be a finite number, not {value}"
    if not (value is None or isinstance(value, str | int | float | bool | dict | list)):
        return f"key {key!r} holds a {type(value).__name__}; write plain text or numbers"
    return None
