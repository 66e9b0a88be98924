"""Stream files that are wrong: each gets one message that names the file, the key and what is wrong."""

from pathlib import Path

import pytest

from lotuslake.config.streams import load_streams
from lotuslake.core.errors import ConfigError, ExitCode

GOOD = """\
sync_mode: incremental
destination_sync_mode: append
primary_key: [id]
cursor_field: updated_at
fields:
  id: {type: integer}
  updated_at: {type: string, format: date-time}
  customer: {type: object, properties: {id: {type: integer}}}
"""
FILE = "streams/shop/orders.yml"


def changed(old: str, new: str) -> str:
    assert old in GOOD
    return GOOD.replace(old, new)


def message_of(project: Path, files: dict[str, str | bytes]) -> str:
    for name, content in files.items():
        path = project / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(ConfigError) as raised:
        _ = load_streams(project).all
    assert raised.value.exit_code == ExitCode.USAGE
    assert "\n" not in raised.value.message
    assert str(project / "streams" / "shop") not in raised.value.message
    return raised.value.message


BOMB = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{new}: &{new} [*{old}, *{old}, *{old}, *{old}, *{old}, *{old}, *{old}, *{old}, *{old}]\n"
    for old, new in zip("abcdef", "bcdefg", strict=True)
)

BAD_FILES: dict[str, tuple[str | bytes, str]] = {
    "unknown key": (GOOD + "freshnes: {}\n", "key 'freshnes' is not known; did you mean 'freshness'?"),
    "unknown key, nothing near": (GOOD + "zzz: 1\n", "key 'zzz' is not known; known keys are batch, cursor_field"),
    "unknown batch key": (
        GOOD + "batch: {max_file: 3}\n",
        "key 'batch.max_file' is not known; did you mean 'max_files'",
    ),
    "unknown freshness key": (GOOD + "freshness: {warn: 2h}\n", "key 'freshness.warn' is not known; did you mean"),
    "no sync mode": (
        changed("sync_mode: incremental\n", ""),
        "key 'sync_mode' is missing: write full_refresh or incremental",
    ),
    "no destination": (changed("destination_sync_mode: append\n", ""), "key 'destination_sync_mode' is missing"),
    "no primary key": (changed("primary_key: [id]\n", ""), "key 'primary_key' is missing: name the fields"),
    "no fields": (GOOD.split("fields:", maxsplit=1)[0], "key 'fields' is missing: list the fields to sync"),
    "empty fields": (GOOD.split("fields:", maxsplit=1)[0] + "fields: {}\n", "key 'fields' is empty"),
    "no cursor": (changed("cursor_field: updated_at\n", ""), "key 'cursor_field' is missing: an incremental stream"),
    "sync mode misspelt": (changed("incremental", "incrmental"), "not 'incrmental'; did you mean 'incremental'?"),
    "sync mode a number": (changed("incremental", "3"), "key 'sync_mode' must be text, not 3"),
    "dedup destination": (changed("mode: append", "mode: append_dedup"), "not 'append_dedup'; did you mean 'append'?"),
    "incremental overwrite": (
        changed("mode: append", "mode: overwrite"),
        "must be append when sync_mode is incremental",
    ),
    "key is no field": (changed("[id]", "[idd]"), "key 'primary_key' names 'idd', which is not under fields; did you"),
    "cursor is no field": (
        changed("cursor_field: updated_at", "cursor_field: update_at"),
        "key 'cursor_field' names 'update_at', which is not under fields; did you mean 'updated_at'?",
    ),
    "nested key": (changed("[id]", "[[customer, id]]"), "key 'primary_key' names the nested path 'customer.id'"),
    "nested cursor": (
        changed("cursor_field: updated_at", "cursor_field: [customer, id]"),
        "key 'cursor_field' names the nested path 'customer.id'; only top-level fields",
    ),
    "struct key": (changed("[id]", "[customer]"), "key 'primary_key' names 'customer', which is an object or a list"),
    "key twice": (changed("[id]", "[id, id]"), "key 'primary_key' names a field twice"),
    "key empty": (changed("[id]", "[]"), "key 'primary_key' must be a list of field names, not a list"),
    "airbyte field": (GOOD + "  _airbyte_raw_id: {type: string}\n", "key 'fields._airbyte_raw_id' is a name that"),
    "airbyte field, sanitised": (GOOD + "  -Airbyte-x: {type: string}\n", "key 'fields.-Airbyte-x' is a name that"),
    "null keys": (GOOD + "null_keys: dorp\n", "key 'null_keys' must be keep or drop, not 'dorp'; did you mean 'drop'?"),
    "null keys, no word": (GOOD + "null_keys: true\n", "key 'null_keys' must be text, not true"),
    "case collision": (
        GOOD + "  ID: {type: integer}\n",
        "key 'fields.ID' collides with 'id': both are the column 'id'",
    ),
    "sanitised collision": (
        GOOD + "  updated-at: {type: string}\n",
        "key 'fields.updated-at' collides with 'updated_at'",
    ),
    "field without a schema": (GOOD + "  x: string\n", "key 'fields.x' must be a JSON schema such as {type: string}"),
    "field without a type": (GOOD + "  x: {description: y}\n", "key 'fields.x' cannot become a column: has no type"),
    "field type": (GOOD + "  x: {type: int}\n", "key 'fields.x' cannot become a column: has the unknown type 'int'"),
    "nested field type": (
        GOOD + "  x: {type: object, properties: {y: {type: txt}}}\n",
        "key 'fields.x' cannot become a column: y has the unknown type 'txt'",
    ),
    "field description": (GOOD + "  x: {type: string, description: 5}\n", "key 'fields.x.description' must be text"),
    "fields a list": (
        GOOD.split("fields:", maxsplit=1)[0] + "fields: [id]\n",
        "key 'fields' must be a mapping of keys, not a list",
    ),
    "bool for int": (GOOD + "lookback_days: true\n", "key 'lookback_days' must be a whole number, 0 or more, not true"),
    "float for int": (GOOD + "lookback_days: 1.5\n", "key 'lookback_days' must be a whole number, 0 or more, not 1.5"),
    "negative lookback": (
        GOOD + "lookback_days: -1\n",
        "key 'lookback_days' must be a whole number, 0 or more, not -1",
    ),
    "zero retention": (GOOD + "retention_days: 0\n", "key 'retention_days' must be a whole number, 1 or more, not 0"),
    "zero files": (GOOD + "batch: {max_files: 0}\n", "key 'batch.max_files' must be a whole number, 1 or more, not 0"),
    "bool for size": (GOOD + "batch: {max_bytes: true}\n", "key 'batch.max_bytes' must be a whole number, 1 or more"),
    "zero size": (GOOD + "batch: {max_bytes: 0MB}\n", "key 'batch.max_bytes' is '0MB': write a size such as 512MiB"),
    "bad size": (GOOD + "batch: {max_bytes: 5XB}\n", "key 'batch.max_bytes' is '5XB': write a size such as 512MiB"),
    "batch a number": (GOOD + "batch: 5\n", "key 'batch' must be a mapping of keys, not 5"),
    "bad duration": (GOOD + "settle_after: soon\n", "key 'settle_after' is 'soon': write a duration such as 45s"),
    "duration a number": (GOOD + "settle_after: 2\n", "key 'settle_after' is 2: write a duration such as 45s, 30m"),
    "zero duration": (GOOD + "settle_after: 0s\n", "key 'settle_after' is '0s': write a duration"),
    "no duration": (GOOD + "settle_after:\n", "key 'settle_after' is nothing: write a duration"),
    "sexagesimal duration": (GOOD + "settle_after: 1:30\n", "key 'settle_after' is '1:30': write a duration"),
    "freshness order": (
        GOOD + "freshness: {warn_after: 2d, error_after: 1d}\n",
        "warn_after' is longer than error_after",
    ),
    "max_shrink too large": (GOOD + "max_shrink: 50\n", "key 'max_shrink' must be a number from 0 to 1, not 50"),
    "max_shrink negative": (GOOD + "max_shrink: -0.1\n", "key 'max_shrink' must be a number from 0 to 1, not -0.1"),
    "max_shrink bool": (GOOD + "max_shrink: true\n", "key 'max_shrink' must be a number from 0 to 1, not true"),
    "not a number": (GOOD + "max_shrink: .nan\n", "key 'max_shrink' must be a finite number, not nan"),
    "landing mode": (GOOD + "landing: refrence\n", "key 'landing' must be reference or copy, not 'refrence'; did you"),
    "absolute path": (GOOD + "landing_path: /raw\n", "key 'landing_path' is '/raw': write a relative path"),
    "path upwards": (GOOD + "landing_path: a/../b\n", "key 'landing_path' is 'a/../b': write a relative path"),
    "empty path": (GOOD + "landing_path: ''\n", "key 'landing_path' is '': write a relative path"),
    "path with a gap": (GOOD + "landing_path: a//b\n", "key 'landing_path' is 'a//b': write a relative path"),
    "path a URL": (GOOD + "landing_path: s3://b/p\n", "key 'landing_path' is 's3://b/p': write a relative path"),
    "path a pattern": (GOOD + "landing_path: a*\n", "key 'landing_path' is 'a*': write a relative path"),
    "tombstone no field": (GOOD + "tombstone_field: gone\n", "key 'tombstone_field' names 'gone', which is not under"),
    "description a list": ("description: [a]\n" + GOOD, "key 'description' must be text, not a list"),
    "empty file": ("", f"{FILE}: the file is empty"),
    "only comments": ("# later\n", f"{FILE}: the file holds nothing but comments"),
    "list at the top": ("- a\n", f"{FILE}: the file must hold a mapping of keys, not a list"),
    "syntax": ("a: 1\nb: c: d\n", f"{FILE}, line 2: not valid YAML: "),
    "tab": ("a:\n\tb: 1\n", f"{FILE}, line 2: not valid YAML: "),
    "two documents": ("a: 1\n---\nb: 2\n", f"{FILE}, line 2: not valid YAML: "),
    "duplicate key": (
        GOOD + "sync_mode: incremental\n",
        f"{FILE}, line 9: key 'sync_mode' twice, first in line 1; keep one of them",
    ),
    "duplicate field": (
        GOOD + "  id: {type: string}\n",
        f"{FILE}, line 9: key 'id' twice, first in line 6; keep one of them",
    ),
    "python tag": (
        "a: !!python/object/apply:os.system [ls]\n",
        f"{FILE}, line 1: not valid YAML: the tag tag:yaml.org,2002:python/object/apply:os.system is not allowed",
    ),
    "binary": ("a: !!binary aGk=\n", "key 'a' holds a bytes; write plain text or numbers"),
    "key not text": ("1: a\n", "the key 1 is not text; put it in quotes"),
    "list as a key": ("? [a]\n: b\n", f"{FILE}, line 1: not valid YAML: found unhashable key"),
    "unknown alias": ("a: *b\n", f"{FILE}, line 1: not valid YAML: found undefined alias"),
    "not UTF-8": (b"description: caf\xe9\n", f"{FILE}, line 1: not UTF-8 text (byte 16); save it as UTF-8"),
    "control characters": ("a: 1\nb: \0\n", f"{FILE}, line 2: not valid YAML: "),
    "deep": ("a: " + "[" * 100_000, f"{FILE}"),
    "deep and closed": ("a: " + "[" * 500 + "]" * 500, f"{FILE}: nested deeper than 64 levels"),
    "alias of itself": ("a: &a [*a]\n", f"{FILE}, line 1: nested deeper than 64 levels"),
    "aliases of aliases": (BOMB, f"{FILE}: holds more than 100000 values; are there aliases of aliases?"),
}


@pytest.mark.parametrize(("content", "message"), BAD_FILES.values(), ids=BAD_FILES.keys())
def test_a_bad_stream_file(tmp_path: Path, content: str | bytes, message: str) -> None:
    told = message_of(tmp_path, {FILE: content})
    assert told.startswith(FILE)
    assert message in told


JSON_FILE = "streams/shop/orders.json"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", f"{JSON_FILE}, line 1: not valid JSON: "),
        ('{"a": 1, "a": 2}', f"{JSON_FILE}, line 1: key 'a' twice, first in line 1"),
        ('{"max_shrink": NaN}', "key 'max_shrink' must be a finite number, not nan"),
        ("[]", "must hold a mapping of keys, not a list"),
        ("[" * 100_000 + "]" * 100_000, "nested deeper than 64 levels"),
    ],
    ids=["syntax", "duplicate", "nan", "list", "deep"],
)
def test_a_bad_json_file(tmp_path: Path, content: str, message: str) -> None:
    assert message in message_of(tmp_path, {JSON_FILE: content})


SOURCE = "streams/shop/_source.yml"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("definition: x\n", "key 'definition' is not known; did you mean 'definition_id'?"),
        ("definition_id: x\n", "key 'definition_id' is 'x': write the UUID"),
        ("start_date: yesterday\n", "key 'start_date' is 'yesterday': write a date such as 2024-01-31"),
        ("schedule: 0 * * * *\n", "key 'schedule' is '0 * * * *': write manual or a Quartz cron expression of six"),
        ("schedule: 0 0 * * * *\n", "with ? for one of the two days"),
        ("schedule: 0 0 * ? * ?\n", "with ? for one of the two days"),
        ("secrets: KLAVIYO_API_KEY\n", "key 'secrets' must be a list of texts, not 'KLAVIYO_API_KEY'"),
        (
            "defaults: {primary_key: [id]}\n",
            "key 'defaults.primary_key' stands in the wrong place: it cannot be a default",
        ),
        ("defaults: {freshness: {warn_after: x}}\n", "key 'defaults.freshness.warn_after' is 'x': write a duration"),
        ("defaults:\n", "key 'defaults' must be a mapping of keys, not nothing"),
    ],
)
def test_a_bad_source_file(tmp_path: Path, content: str, message: str) -> None:
    told = message_of(tmp_path, {SOURCE: content, FILE: GOOD})
    assert told.startswith(SOURCE)
    assert message in told


def test_a_secret_written_in_place_of_its_name_is_not_repeated(tmp_path: Path) -> None:
    told = message_of(tmp_path, {SOURCE: "secrets: [pk_0123456789abcdef]\n", FILE: GOOD})
    assert "must list names such as KLAVIYO_API_KEY" in told
    assert "pk_" not in told


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({FILE: GOOD, JSON_FILE: "{}"}, f"{FILE}: orders.json already gives this stream; keep one of them"),
        ({"streams/shop/Orders.yml": GOOD}, "streams/shop/Orders.yml: the stream name 'Orders' must be of a-z"),
        ({"streams/shop/a__b.yml": GOOD}, "the stream name 'a__b' must be of a-z, 0-9 and single underscores"),
        ({"streams/shop/1st.yml": GOOD}, "the stream name '1st' must be"),
        ({"streams/my-shop/orders.yml": GOOD}, "streams/my-shop: the source name 'my-shop' must be"),
        ({"streams/orders.yml": GOOD}, "streams/orders.yml: move it into its source's folder"),
        ({"streams/shop/more/orders.yml": GOOD}, "streams/shop/more: a folder inside a source's folder is not read"),
        ({SOURCE: "{}", "streams/shop/_source.json": "{}"}, "streams/shop/_source.yml: _source.json is there too"),
        (
            {FILE: GOOD, "streams/shop/refunds.yml": GOOD + "landing_path: shop/orders/refunds\n"},
            "'shop/orders/refunds', which lies in 'shop/orders' of shop/orders; give each stream a folder of its own",
        ),
        (
            {FILE: GOOD + "landing_path: x\n", "streams/crm/people.yml": GOOD + "landing_path: X/\n"},
            "key 'landing_path' is",
        ),
        ({"streams/README.md": "words"}, "no stream file in"),
        ({"README.md": "words"}, "set LOTUSLAKE_PROJECT_DIR to the project"),
    ],
)
def test_files_that_do_not_go_together(tmp_path: Path, files: dict[str, str | bytes], message: str) -> None:
    assert message in message_of(tmp_path, files)


def test_an_error_in_a_stream_names_the_stream(tmp_path: Path) -> None:
    path = tmp_path / FILE
    path.parent.mkdir(parents=True)
    path.write_text(GOOD + "landing: nowhere\n")
    with pytest.raises(ConfigError) as raised:
        _ = load_streams(tmp_path).all
    assert raised.value.stream == "shop/orders"
