"""One YAML or JSON file as plain values: text, numbers, booleans, lists and mappings with text keys, nothing else."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Hashable
from pathlib import Path
from typing import Any

import yaml

from lotuslake.core.errors import ConfigError

MAX_DEPTH = 64
MAX_VALUES = 100_000


class _Loader(yaml.CSafeLoader):
    """Safe YAML with the scalars of YAML 1.2 (`no`, `on`, 1:30 and dates are text) and without repeated keys."""

    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012 - PyYAML's own class attribute, filled below

    def construct_mapping(
        self,
        node: yaml.MappingNode,
        deep: bool = False,  # noqa: FBT001, FBT002 - PyYAML's signature
    ) -> dict[Hashable, Any]:
        seen = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode):
                if key.value in seen:
                    raise yaml.constructor.ConstructorError(None, None, f"key {key.value!r} twice", key.start_mark)
                seen.add(key.value)
        return super().construct_mapping(node, deep)


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
    """The mapping that a file holds; ``shown`` is how messages name the file. Raises ConfigError."""
    text = _read(path, shown)
    if not text.strip():
        raise ConfigError(f"{shown}: the file is empty; see the stream files in docs for what it holds")
    values = _parse_json(text, shown) if path.suffix.lower() == ".json" else _parse_yaml(text, shown)
    if values is None:
        raise ConfigError(f"{shown}: the file holds nothing but comments")
    if not isinstance(values, dict):
        kind = "a list" if isinstance(values, list) else "a single value"
        raise ConfigError(f"{shown}: the file must hold a mapping of keys, not {kind}")
    _check_values(values, shown)
    return values


def _read(path: Path, shown: str) -> str:
    try:
        return path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ConfigError(f"{shown}: not UTF-8 text (byte {error.start}); save it as UTF-8") from None
    except OSError as error:
        raise ConfigError(f"{shown}: cannot be read: {error.strerror}") from None


def _parse_yaml(text: str, shown: str) -> Any:
    try:
        _refuse_depth(text, shown)
        return yaml.load(text, Loader=_Loader)  # noqa: S506 - _Loader is a safe loader
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = f", line {mark.line + 1}" if mark else ""
        raise ConfigError(f"{shown}{line}: not valid YAML: {_problem(error)}") from None
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        first_line = (str(error) or type(error).__name__).splitlines()[0]
        raise ConfigError(f"{shown}: not valid YAML: {first_line}") from None


def _problem(error: yaml.MarkedYAMLError) -> str:
    """The parser's words; a tag that would make an object gets our own."""
    problem = str(error.problem or error.context)
    if "could not determine a constructor for the tag" in problem:
        return f"the tag {problem.split(chr(39))[1]} is not allowed; write plain values"
    return problem


def _refuse_depth(text: str, shown: str) -> None:
    """Parser events come without recursion, so a hostile file cannot exhaust the stack."""
    depth = 0
    for event in yaml.parse(text, Loader=_Loader):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > MAX_DEPTH:
            raise _too_deep(shown)


def _parse_json(text: str, shown: str) -> Any:
    try:
        return json.loads(text, object_pairs_hook=_object_without_repeats)
    except json.JSONDecodeError as error:
        raise ConfigError(f"{shown}, line {error.lineno}: not valid JSON: {error.msg}") from None
    except RecursionError:
        raise _too_deep(shown) from None
    except ValueError as error:
        raise ConfigError(f"{shown}: not valid JSON: {error}") from None


def _object_without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for key, value in pairs:
        if key in values:
            raise ValueError(f"key {key!r} twice")
        values[key] = value
    return values


def _check_values(values: dict[str, Any], shown: str) -> None:
    """Walk what aliases expand to: bounded in depth and number, of plain finite values, with text keys."""
    count = 0
    rest: list[tuple[Any, str, int]] = [(values, "", 0)]
    while rest:
        value, key, depth = rest.pop()
        count += 1
        if depth > MAX_DEPTH:
            raise _too_deep(shown)
        if count > MAX_VALUES:
            raise ConfigError(f"{shown}: holds more than {MAX_VALUES} values; are there aliases of aliases?")
        if isinstance(value, dict):
            rest.extend((inner, _checked_key(name, shown), depth + 1) for name, inner in value.items())
        elif isinstance(value, list):
            rest.extend((inner, key, depth + 1) for inner in value)
        else:
            _check_scalar(value, key, shown)


def _checked_key(name: Any, shown: str) -> str:
    if not isinstance(name, str):
        raise ConfigError(f"{shown}: the key {name!r} is not text; put it in quotes")
    return name


def _check_scalar(value: Any, key: str, shown: str) -> None:
    if isinstance(value, float) and not math.isfinite(value):
        raise ConfigError(f"{shown}: key {key!r} must be a finite number, not {value}")
    if not (value is None or isinstance(value, str | int | float | bool)):
        raise ConfigError(f"{shown}: key {key!r} holds a {type(value).__name__}; write plain text or numbers")


def _too_deep(shown: str) -> ConfigError:
    return ConfigError(f"{shown}: nested deeper than {MAX_DEPTH} levels")
