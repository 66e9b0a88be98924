"""Stream files as people write them: each mistake is told with its file, its line, its key and what to do about it."""

from __future__ import annotations

import json
from pathlib import Path
from textwrap import dedent

import pytest

from lotuslake.config.streams import load_streams
from lotuslake.core.errors import LotusLakeError
from lotuslake.core.stream import Stream

# Counted by hand: the lines that messages name.
GOOD = """\
sync_mode: incremental
destination_sync_mode: append
primary_key: [id]
cursor_field: updated_at
fields:
  id: {type: integer}
  updated_at: {type: string, format: date-time}
  customer:
    type: object
    properties:
      id: {type: integer}
"""
AFTER = 12  # the line that follows
FILE, SOURCE = "streams/shop/orders.yml", "streams/shop/_source.yml"


def told(project: Path, files: dict[str, str | bytes]) -> list[str]:
    """The messages that these files get, in order."""
    for name, content in files.items():
        path = project / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    try:
        _ = load_streams(project).all
    except LotusLakeError as error:
        return [part.message for part in error.parts]
    return []


def only_stream(project: Path, files: dict[str, str | bytes]) -> Stream:
    assert told(project, files) == []
    (stream,) = load_streams(project).all
    return stream


def without(line: str) -> str:
    assert f"{line}\n" in GOOD
    return GOOD.replace(f"{line}\n", "")


# What is written, the line that is named, and what the message must hold.
ODD: dict[str, tuple[str | bytes, int | None, str]] = {
    # The syntax.
    "a tab": ("fields:\n\tid: {type: integer}\n", 2, "the line is indented with a tab; use spaces"),
    "a tab after spaces": (
        GOOD + "batch:\n \tmax_files: 3\n",
        AFTER + 1,
        "the line is indented with a tab; use spaces",
    ),
    "a colon in a text": ("description: Orders: all of them\n" + GOOD, 1, "put a text that has a colon in quotes"),
    "no colon": (GOOD + "lookback_days 3\n", AFTER, "a line that is neither `key: value` nor below one"),
    "an equals sign": (GOOD + "lookback_days=3\n", AFTER, "a line that is neither `key: value` nor below one"),
    "one space too many": (GOOD + " lookback_days: 3\n", AFTER, "the indentation is not that of the lines above"),
    "a bracket left open": (
        "primary_key: [id\n" + without("primary_key: [id]"),
        2,
        "a bracket or a quote above is not closed",
    ),
    "a quote left open": (GOOD + "description: 'all\n", AFTER + 1, "a quote is not closed"),
    "an at sign": (
        GOOD + "description: @home\n",
        AFTER,
        "put a text that begins with @, %, ` or another sign in quotes",
    ),
    "a backslash": (GOOD + 'description: "a\\d"\n', AFTER, "write a backslash twice, or use single quotes"),
    "two documents": (GOOD + "---\n" + GOOD, AFTER, "a second document begins here (---); one file holds one stream"),
    "an alias of nothing": (GOOD + "batch: *common\n", AFTER, "no anchor (&) of this name stands above it"),
    "a merge of a text": (GOOD + "batch:\n  <<: common\n", AFTER + 1, "`<<` takes an alias of a mapping"),
    "a tag": (GOOD + "description: !ref x\n", AFTER, "the tag !ref is not allowed; write plain values"),
    "a template": (GOOD + "lookback_days: {{ days }}\n", AFTER, "a key is a text; brackets or braces need quotes"),
    "a merge conflict": (GOOD + "<<<<<<< HEAD\nlookback_days: 3\n", AFTER, "not valid YAML: "),
    "not UTF-8": (GOOD.encode() + b"description: caf\xe9\n", AFTER, "not UTF-8 text"),
    "UTF-16": (GOOD.encode("utf-16"), 1, "not UTF-8 text (byte 0); save it as UTF-8"),
    "a zero byte": (GOOD + "description: a\0b\n", AFTER, "control characters are not allowed; remove it"),
    # Keys.
    "a key twice": (
        GOOD + "sync_mode: full_refresh\n",
        AFTER,
        "key 'sync_mode' twice, first in line 1; keep one of them",
    ),
    "a field twice": (GOOD + "  id: {type: string}\n", AFTER, "key 'id' twice, first in line 6; keep one of them"),
    "a key that is a number": (GOOD + "  2024: {type: string}\n", AFTER, "the key 2024 is not text; put it in quotes"),
    "a key that is true": (GOOD + "  true: {type: string}\n", AFTER, "the key True is not text; put it in quotes"),
    "a list as a key": (GOOD + "? [a]\n: b\n", AFTER, "a key is a text; brackets or braces need quotes"),
    "capitals": ("Sync_Mode: incremental\n" + without("sync_mode: incremental"), 1, "did you mean 'sync_mode'?"),
    "Airbyte's words": ("syncMode: incremental\n" + without("sync_mode: incremental"), 1, "did you mean 'sync_mode'?"),
    "a dash": ("primary-key: [id]\n" + without("primary_key: [id]"), 1, "did you mean 'primary_key'?"),
    "misspelt": (
        GOOD + "freshnes: {warn_after: 2h}\n",
        AFTER,
        "key 'freshnes' is not known; did you mean 'freshness'?",
    ),
    # A key in the wrong place.
    "a bound at the top": (GOOD + "max_files: 10\n", AFTER, "write it under batch, as batch: {max_files: …}"),
    "an age at the top": (
        GOOD + "error_after: 2d\n",
        AFTER,
        "write it under freshness, as freshness: {error_after: …}",
    ),
    "a bound under freshness": (
        GOOD + "freshness: {max_rows: 9}\n",
        AFTER,
        "write it under batch, as batch: {max_rows: …}",
    ),
    "an option under batch": (GOOD + "batch:\n  lookback_days: 3\n", AFTER + 1, "it is a key of its own, not indented"),
    "an option among the fields": (
        GOOD + "  batch: {max_files: 3}\n",
        AFTER,
        "is batch indented too far? It is a key of the file",
    ),
    "a number among the fields": (GOOD + "  lookback_days: 3\n", AFTER, "is lookback_days indented too far?"),
    "the source's schedule": (GOOD + "schedule: manual\n", AFTER, "write it into _source.yml beside this file"),
    "defaults": (GOOD + "defaults: {lookback_days: 3}\n", AFTER, "it belongs into _source.yml"),
    "a name": ("name: orders\n" + GOOD, 1, "the file's own name is the stream's: drop it"),
    "a whole JSON schema": (GOOD + "json_schema: {properties: {}}\n", AFTER, "write its properties under fields"),
    "properties at the top": (
        GOOD + "properties: {a: {type: string}}\n",
        AFTER,
        "stands under fields, below the field's name",
    ),
    # Values.
    "nothing": (GOOD + "lookback_days:\n", AFTER, "key 'lookback_days' must be a whole number, 0 or more, not nothing"),
    "a number in quotes": (GOOD + 'lookback_days: "3"\n', AFTER, "must be a whole number, 0 or more, not '3'"),
    "a number with a unit": (
        GOOD + "lookback_days: 3 days\n",
        AFTER,
        "must be a whole number, 0 or more, not '3 days'",
    ),
    "yes": (GOOD + "lookback_days: yes\n", AFTER, "must be a whole number, 0 or more, not 'yes'"),
    "an octal": (GOOD + "lookback_days: 010\n", AFTER, "must be a whole number, 0 or more, not '010'"),
    "a percentage": (GOOD + "max_shrink: 50%\n", AFTER, "must be a number from 0 to 1, not '50%'"),
    "a decimal comma": (GOOD + "max_shrink: 0,5\n", AFTER, "must be a number from 0 to 1, not '0,5'"),
    "infinity": (GOOD + "max_shrink: .inf\n", AFTER, "key 'max_shrink' must be a finite number, not inf"),
    "minutes and seconds": (GOOD + "settle_after: 1:30\n", AFTER, "write a duration such as 45s, 30m, 2h or 1d 12h"),
    "keys by commas": (
        "primary_key: id, sku\n" + without("primary_key: [id]"),
        1,
        "names 'id, sku', which is not under fields",
    ),
    "a text for a schema": (
        GOOD + "  note: string\n",
        AFTER,
        "must be a JSON schema such as {type: string}, not 'string'",
    ),
    "curly quotes": (
        GOOD + "  note: {type: “string”}\n",
        AFTER,
        "has the unknown type '“string”'; did you mean 'string'?",
    ),
    "SQL's types": (
        GOOD + "  note: {type: VARCHAR}\n",
        AFTER,
        "has the unknown type 'VARCHAR'; did you mean 'string'?",
    ),
    "a timestamp": (GOOD + "  note: {type: timestamp}\n", AFTER, "write {type: string, format: date-time}"),
    "deep in a field": (
        GOOD + "      name: {type: string}\n      born: {type: dat}\n",
        AFTER + 1,
        "key 'fields.customer' cannot become a column: born has the unknown type 'dat'",
    ),
}


@pytest.mark.parametrize(("content", "line", "message"), ODD.values(), ids=list(ODD))
def test_a_file_as_people_write_it(tmp_path: Path, content: str | bytes, line: int | None, message: str) -> None:
    (said,) = told(tmp_path, {FILE: content})
    assert said.startswith(f"{FILE}, line {line}: "), said
    assert message in said


def test_there_are_enough_of_them() -> None:
    assert len(ODD) >= 40


def test_all_mistakes_of_all_files_at_once(tmp_path: Path) -> None:
    orders = """\
        sync_mode: incrmental
        destination_sync_mode: append
        primary_key: [idd]
        max_files: 3
        fields:
          id: {type: int}
          id_2:
            type: object
            properties:
              a: {type: string}
              b: {type: text}
          batch: 3
        lookback_days: -1
        freshness: {warn: 2h, error_after: soon}
        """
    people = "sync_mode: incremental\nfields: [id]\n"
    source = "schedule: hourly\nlookback_days: 3\ndefaults: {max_shrink: 2}\n"
    assert told(tmp_path, {FILE: dedent(orders), "streams/crm/people.yml": people, SOURCE: source}) == [
        "streams/crm/people.yml: key 'destination_sync_mode' is missing: write append or overwrite",
        "streams/crm/people.yml, line 2: key 'fields' must be a mapping of keys, not a list",
        "streams/crm/people.yml: key 'primary_key' is missing: name the fields that identify a record, such as [id]",
        (
            "streams/crm/people.yml: key 'cursor_field' is missing: an incremental stream needs the field that tells newer "
            "from older"
        ),
        (
            f"{SOURCE}, line 2: key 'lookback_days' stands in the wrong place: write it under defaults, for all streams of the "
            "source"
        ),
        (
            f"{SOURCE}, line 1: key 'schedule' is 'hourly': write manual or a Quartz cron expression of six fields from seconds "
            "on, with ? for one of the two days, such as '0 0 * * * ?'"
        ),
        f"{SOURCE}, line 3: key 'defaults.max_shrink' must be a number from 0 to 1, not 2",
        f"{FILE}, line 4: key 'max_files' stands in the wrong place: write it under batch, as batch: {{max_files: …}}",
        f"{FILE}, line 1: key 'sync_mode' must be full_refresh or incremental, not 'incrmental'; did you mean 'incremental'?",
        f"{FILE}, line 6: key 'fields.id' cannot become a column: has the unknown type 'int'; did you mean 'integer'?",
        f"{FILE}, line 11: key 'fields.id_2' cannot become a column: b has the unknown type 'text'; did you mean 'string'?",
        (
            f"{FILE}, line 12: key 'fields.batch' must be a JSON schema such as {{type: string}}, not 3; is batch indented too "
            "far? It is a key of the file"
        ),
        f"{FILE}, line 14: key 'freshness.warn' is not known; did you mean 'warn_after'?",
        f"{FILE}, line 14: key 'freshness.error_after' is 'soon': write a duration such as 45s, 30m, 2h or 1d 12h",
        f"{FILE}, line 13: key 'lookback_days' must be a whole number, 0 or more, not -1",
        f"{FILE}, line 3: key 'primary_key' names 'idd', which is not under fields; did you mean 'id'?",
    ]


def test_several_keys_that_stand_twice(tmp_path: Path) -> None:
    again = "  id: {type: integer}\nsync_mode: incremental\n"
    assert told(tmp_path, {FILE: GOOD + again}) == [
        f"{FILE}, line 13: key 'sync_mode' twice, first in line 1; keep one of them",
        f"{FILE}, line 12: key 'id' twice, first in line 6; keep one of them",
    ]


AS_JSON = json.dumps(
    {
        "sync_mode": "incremental",
        "destination_sync_mode": "append",
        "primary_key": ["id"],
        "cursor_field": "updated_at",
        "fields": {
            "id": {"type": "integer"},
            "updated_at": {"type": "string", "format": "date-time"},
            "customer": {"type": "object", "properties": {"id": {"type": "integer"}}},
        },
    },
    indent="\t",
)
GOOD_ONES: dict[str, dict[str, str | bytes]] = {
    "a BOM": {FILE: b"\xef\xbb\xbf" + GOOD.encode()},
    "CRLF": {FILE: GOOD.replace("\n", "\r\n")},
    "no newline at the end": {FILE: GOOD.rstrip("\n")},
    "trailing spaces": {FILE: GOOD.replace("\n", "  \n") + "  \n"},
    "a document's begin and end": {FILE: f"---\n{GOOD}...\n"},
    "comments": {FILE: "# yaml-language-server: $schema=x\n" + GOOD.replace("[id]", "[id]  # the order's")},
    "JSON": {"streams/shop/orders.json": AS_JSON},
    "JSON in a YAML file, with tabs": {FILE: AS_JSON},
    "another ending": {"streams/shop/orders.YAML": GOOD},
    "an anchor": {
        FILE: GOOD.replace("id: {type: integer}\n  up", "id: &number {type: integer}\n  up").replace(
            "      id: {type: integer}", "      id: *number"
        )
    },
    "a merge": {
        FILE: GOOD.replace("  id: {type: integer}\n  up", "  id: &number {type: integer}\n  up").replace(
            "      id: {type: integer}", "      id: {<<: *number}"
        )
    },
    "keys in another order": {FILE: "".join(reversed([GOOD[: GOOD.index("fields")], GOOD[GOOD.index("fields") :]]))},
}


@pytest.mark.parametrize("files", GOOD_ONES.values(), ids=list(GOOD_ONES))
def test_what_is_right_though_odd(tmp_path: Path, files: dict[str, str | bytes]) -> None:
    plain = only_stream(tmp_path / "plain", {FILE: GOOD})
    assert only_stream(tmp_path / "odd", files) == plain


def test_lines_in_json(tmp_path: Path) -> None:
    text = AS_JSON.replace('"id": {\n\t\t\t"type": "integer"', '"id": {\n\t\t\t"type": "int"', 1)
    (said,) = told(tmp_path, {"streams/shop/orders.json": text.replace('"append"', '"apend"')})[1:]
    assert said.startswith("streams/shop/orders.json, line 9: key 'fields.id' cannot become a column")


@pytest.mark.parametrize("selector", ["crm", "crm/people", "crm/*", "*/people", "shop/refunds"])
def test_a_mistake_does_not_stop_other_streams(tmp_path: Path, selector: str) -> None:
    files = {FILE: GOOD + "oops\n", "streams/shop/refunds.yml": GOOD, "streams/crm/people.yml": GOOD}
    assert len(told(tmp_path, dict(files))) == 1
    (stream,) = load_streams(tmp_path).select([selector])
    assert stream.id in {"crm/people", "shop/refunds"}


@pytest.mark.parametrize("selector", ["shop", "shop/orders", "shop/*", "*/orders", "*"])
def test_but_those_that_it_concerns(tmp_path: Path, selector: str) -> None:
    told(tmp_path, {FILE: GOOD + "oops\n", "streams/shop/refunds.yml": GOOD, "streams/crm/people.yml": GOOD})
    with pytest.raises(LotusLakeError, match=FILE):
        load_streams(tmp_path).select(["crm", selector])


@pytest.mark.parametrize("selector", ["shop", "shop/orders", "shop/*", "*/orders"])
def test_what_is_wrong_with_a_source_concerns_its_streams(tmp_path: Path, selector: str) -> None:
    told(tmp_path, {FILE: GOOD, SOURCE: "schedule: hourly\n", "streams/crm/people.yml": GOOD})
    with pytest.raises(LotusLakeError, match=SOURCE):
        load_streams(tmp_path).select([selector])
    assert [stream.id for stream in load_streams(tmp_path).select(["crm"])] == ["crm/people"]
