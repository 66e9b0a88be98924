"""The JSON Schemas for editors: current, and of one mind with the program."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft7Validator

from lotuslake.core.scaffold.stream_file import EDITORS
from tests.unit.config.test_bad_streams import BAD_FILES
from tests.unit.config.test_files_as_written import GOOD, GOOD_ONES, ODD
from tools.docs.file_schemas import render

ROOT = Path(__file__).parents[3]
FOLDER = ROOT / "streams" / "_schemas"
STREAM_FILES = sorted(path for path in ROOT.glob("streams/*/*.yml"))
# What only the program can tell: one key's value against another's, a name against the fields, text as it is written.
BEYOND_A_SCHEMA = {
    *("key is no field", "cursor is no field", "struct key", "key twice", "tombstone no field", "freshness order"),
    *("airbyte field", "airbyte field, sanitised", "case collision", "sanitised collision"),
    *("path upwards", "path with a gap", "zero size", "bad size", "zero duration", "keys by commas"),
    # Gone, or other by the time that a schema sees the values.
    *(
        "duplicate key",
        "duplicate field",
        "a key twice",
        "a field twice",
        "a key that is a number",
        "a key that is true",
    ),
    *("an octal", "not a number", "UTF-16"),
}


def validator(kind: str) -> Draft7Validator:
    schema = json.loads((FOLDER / f"{kind}.json").read_text(encoding="utf-8"))
    Draft7Validator.check_schema(schema)
    return Draft7Validator(schema)


class Plain(yaml.SafeLoader):
    """Safe YAML in which a date is a text, as editors read it."""

    yaml_implicit_resolvers = {  # noqa: RUF012 - PyYAML's own class attribute
        first: [(tag, pattern) for tag, pattern in resolvers if not tag.endswith("timestamp")]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }


def read(text: str | bytes) -> Any:
    try:
        return yaml.load(text, Loader=Plain)  # noqa: S506 - a safe loader
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError):
        return None  # No schema is asked then.


def test_they_are_current() -> None:
    found = {path.name: path.read_text(encoding="utf-8") for path in FOLDER.iterdir()}
    assert found == render(), "run `make docs`"


@pytest.mark.parametrize("path", STREAM_FILES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_every_file_that_ships_names_its_schema_and_keeps_to_it(path: Path) -> None:
    kind = "source" if path.name == "_source.yml" else "stream"
    text = path.read_text(encoding="utf-8")
    assert text.startswith(f"# yaml-language-server: $schema=../_schemas/{kind}.json\n")
    assert (path.parent / f"../_schemas/{kind}.json").is_file()
    assert list(validator(kind).iter_errors(read(text))) == []


def test_a_new_stream_names_it_too() -> None:
    assert EDITORS == "# yaml-language-server: $schema=../_schemas/stream.json"


@pytest.mark.parametrize("files", GOOD_ONES.values(), ids=list(GOOD_ONES))
def test_what_the_program_takes_the_schema_takes(files: dict[str, str | bytes]) -> None:
    (text,) = files.values()
    raw = text.encode() if isinstance(text, str) else text
    values = json.loads(raw) if raw.startswith(b"{") else yaml.safe_load(raw)
    assert list(validator("stream").iter_errors(values)) == []


@pytest.mark.parametrize(
    "extra",
    [
        "batch: {max_files: 3, max_bytes: 1.5GB, max_rows: 7}\n",
        "batch:\n",
        "batch: {max_bytes: 1000}\n",
        "freshness: {warn_after: 1d 12h, error_after: 2D}\n",
        "freshness: {warn_after: null}\n",
        "landing: copy\nlookback_days: 0\nmax_shrink: 1\nretention_days:\nsettle_after: 45s\ntombstone_field:\n",
        "landing_path: raw/shop/orders/\n",
        "  note: {type: [string, 'null'], format: uri}\n",
        "  note: {oneOf: [{type: string}, {type: object, properties: {a: {type: integer}}}]}\n",
        "  note: {type: array, items: {type: array, items: {}}}\n",
        "  note: {properties: {}}\n",
    ],
)
def test_more_that_both_take(tmp_path: Path, extra: str) -> None:
    from tests.unit.config.test_files_as_written import FILE, told

    assert told(tmp_path, {FILE: GOOD + extra}) == []
    assert list(validator("stream").iter_errors(yaml.safe_load(GOOD + extra))) == []


BAD = {name: entry[0] for name, entry in (BAD_FILES | ODD).items() if isinstance(read(entry[0]), dict)}


@pytest.mark.parametrize("name", sorted(set(BAD) - BEYOND_A_SCHEMA))
def test_what_the_program_refuses_the_schema_underlines(name: str) -> None:
    assert list(validator("stream").iter_errors(read(BAD[name]))) != []


def test_the_exceptions_are_ones() -> None:
    assert {name for name in BEYOND_A_SCHEMA if list(validator("stream").iter_errors(read(BAD[name])))} == set()
