"""DuckDB's errors as DuckDB 1.5.5, its extensions, Postgres 18 and dbt really word them: seen there, then written down."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from lotuslake.adapters.dbt_errors import model_error
from lotuslake.adapters.duckdb_errors import translate, translate_text
from lotuslake.core.errors import (
    CatalogHeldError,
    ConfigError,
    DiskFullError,
    InvalidModelError,
    LostRaceError,
    LotusLakeError,
    ModelError,
    RefusedError,
    UnreachableError,
)

COMMIT = "TransactionContext Error: Failed to commit: Failed to commit DuckLake transaction.\n"
FLUSH = (
    COMMIT
    + 'Failed to flush changes into DuckLake: Failed to execute query "INSERT INTO "public".t VALUES (1, \'{}\');": '
)
MODEL = "Runtime Error in model int_shop__items (processed/int_shop__items.sql)\n  "
GONE = "server closed the connection unexpectedly\n\tThis probably means the server terminated abnormally\n"
RACES = [
    COMMIT
    + 'Transaction conflict - attempting to insert into table with index "23" - but another transaction has dropped it',
    COMMIT + "Exceeded the maximum retry count of 10 set by the ducklake_max_retry_count setting.\n",
    "TransactionContext Error: Conflict on tuple deletion!",
    'TransactionContext Error: Catalog write-write conflict on create with "t"',
    FLUSH.format("x") + "ERROR:  could not serialize access due to concurrent update\n",
    FLUSH.format("x") + "ERROR:  deadlock detected\nDETAIL:  Process 1 waits\n",
    (
        'Failed to read inlined data from DuckLake: Failed to prepare COPY "COPY (SELECT 1) TO STDOUT;": '
        'ERROR:  relation "public.ducklake_inlined_data_6_7" does not exist\nLINE 1: …\n'
    ),
    'Catalog Error: Table with name rebuild_int_shop__items does not exist!\nDid you mean "cursor_int_shop__items"?',
    'Catalog Error: Table with name "int_shop__items__rebuild_shard_1" already exists!',
    "Invalid Input Error: lost race: another process has moved fct_items",
]
OUTAGES = [
    "HTTP Error: Request returned HTTP 503 for HTTP GET to 'http://127.0.0.1:1/lake/?list-type=2'\n\nLINE 1: SELECT file FROM",
    "HTTP Error: HTTP GET error reading 's3://lake/data' in region 'us-east-1' (HTTP 403 Forbidden)\n\nAccessDenied: x",
    "IO Error: Could not connect to server error for HTTP GET to 'http://127.0.0.1:9/lake/'",
    "IO Error: Transferred a partial file error for HTTP GET to 'http://127.0.0.1:1/lake/'",
    (
        "IO Error: Failed to query most recent snapshot for DuckLake: Unable to connect to Postgres at "
        '"postgresql://lake@127.0.0.1:1/x": connection to server at "127.0.0.1", port 1 failed: Connection refused\n\tIs it?\n'
    ),
    "Connection Error: Connection already closed!",
    'TransactionContext Error: Failed to commit: Failed to execute query "ROLLBACK": ',
    COMMIT + f'Failed to commit: Failed to execute query "COMMIT": {GONE}',
    f'Failed to execute query "BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ;\n\nSELECT 1": {GONE}',
    'Failed to execute query "ROLLBACK": FATAL:  terminating connection due to administrator command\nSSL connection closed',
    (
        'Failed to probe DuckLake metadata: Failed to execute query "BEGIN;\nSELECT 1": '
        "ERROR:  canceling statement due to statement timeout\n"
    ),
    "IO Error: SSL connect error error for HTTP HEAD to 'https://127.0.0.1:1/lake/x.parquet'",
    (
        'Unable to connect to Postgres at "postgresql://lake@127.0.0.1:1/x": connection to server at "127.0.0.1", port 1 '
        "failed: FATAL:  the database system is starting up\n"
    ),
    COMMIT + "Request returned HTTP 500 for HTTP PUT to 'http://127.0.0.1:1/lake/data/x.parquet'",
]
FULL = [
    COMMIT + 'Failed to commit: Could not write file "/lake/catalog.ducklake.wal": No space left on device',
    'IO Error: Could not write file "/lake/data/main/t/x.parquet": No space left on device',
    (
        "IO Error: Detached database '__ducklake_metadata_lakehouse', but CHECKPOINT during DETACH failed. \nCheckpoint failed "
        'for database "__ducklake_metadata_lakehouse". The database has been invalidated. Original error: Could not write file '
        '"/lake/catalog.ducklake": No space left on device'
    ),
    'IO Error: Could not write file "/lake/temp/duckdb_temp_storage_DEFAULT-0.tmp": Disk quota exceeded',
    FLUSH.format("x")
    + 'ERROR:  could not extend file "base/1/2_fsm": No space left on device\nHINT:  Check free disk space.\n',
    "HTTP Error: Request returned HTTP 507 for HTTP PUT to 'http://127.0.0.1:1/lake/data/x.parquet'",
    (
        "Out of Memory Error: failed to offload data block of size 256.0 KiB (7.4 MiB/7.5 MiB used).\n"
        "This limit was set by the 'max_temp_directory_size' setting.\nBy default, it is …"
    ),
]
NO_ENTRY = (
    'IO Error: Unable to connect to Postgres at "postgresql://lake@127.0.0.1:1/x": connection to server at "127.0.0.1", '
    "port 1 failed: {}\n"
)
REFUSED = [
    NO_ENTRY.format('FATAL:  password authentication failed for user "lake"'),
    NO_ENTRY.format("fe_sendauth: no password supplied"),
    NO_ENTRY.format('FATAL:  database "x" does not exist'),
    NO_ENTRY.format('FATAL:  role "lake" does not exist'),
    NO_ENTRY.format('FATAL:  no pg_hba.conf entry for host "127.0.0.1", user "lake", database "x", no encryption'),
    (
        "HTTP Error: HTTP GET error reading 'http://127.0.0.1:1/lake/x.parquet' in region 'us-east-1' (HTTP 403 Forbidden)\n\n"
        "InvalidAccessKeyId: The access key ID you provided does not exist in our records.\n\nAuthentication Failure - …"
    ),
    (
        "HTTP Error: Unable to connect to URL s3://lake/y.parquet: Forbidden (HTTP code 403)\n\n"
        "SignatureDoesNotMatch: The request signature we calculated does not match the signature you provided."
    ),
    (
        "HTTP Error: Unable to connect to URL s3://no-such-bucket/y.parquet: Not Found (HTTP code 404)\n\n"
        "NoSuchBucket: The specified bucket does not exist"
    ),
    (
        "HTTP Error: HTTP GET error reading 's3://no-such-bucket' in region 'us-east-1' (HTTP 404 Not Found)\n\n"
        "NoSuchBucket: The specified bucket does not exist\n\nLINE 1: FROM glob('s3://no-such-bucket/*')\n             ^"
    ),
]
SETTINGS = [
    'IO Error: Cannot open file "/lake/data/main/t/x.parquet": Read-only file system',
    COMMIT + 'Failed to commit: Cannot open file "/lake/catalog.ducklake.wal": Permission denied',
    'IO Error: Failed to create directory "/lake/temp": Read-only file system',
    FLUSH.format("x") + "ERROR:  cannot execute INSERT in a read-only transaction\n",
    FLUSH.format("x") + "ERROR:  permission denied for table ducklake_snapshot\n",
    FLUSH.format("x") + "ERROR:  must be owner of table ducklake_snapshot\n",
    (
        'Failed to initialize DuckLake: Failed to execute query "CREATE TABLE "public"."ducklake_metadata"(…);": '
        "ERROR:  permission denied for schema public\nLINE 1: CREATE TABLE …\n"
    ),
    "Out of Memory Error: failed to allocate data of size 16.0 MiB (18.2 MiB/19.0 MiB used)\n\nPossible solutions:\n",
]
HELD = [
    (
        'IO Error: Could not set lock on file "/lake/c.ducklake": Conflicting lock is held in /usr/bin/python (PID 7). See also '
        "https://duckdb.org/docs/stable/connect/concurrency"
    ),
    'Binder Error: Unique file handle conflict: Cannot attach "x" - the database file "c" is already attached by database "y"',
]
# What stands in a statement, a name or a value is nobody's outage and nobody's race.
UNFORESEEN = [
    'Binder Error: Referenced column "connection_id" not found in FROM clause!\nCandidate bindings: "HTTP", "ssl_timeout"',
    'Catalog Error: Table with name http_connections does not exist!\nDid you mean "connections"?',
    "Conversion Error: Could not convert string 'Connection refused' to INT32",
    "Conversion Error: Could not convert string 'Transaction conflict' to INT32",
    "Conversion Error: Could not convert string 'IO Error: Could not write file \"/x\": No space left on device' to INT32",
    "Invalid Input Error: Failed to read the HTTP Connection of libpq: timed out",
    "Invalid Input Error: the checkout lost race: no",
    "Constraint Error: NOT NULL constraint failed: sessions.connection_timeout",
    'Parser Error: syntax error at or near "SSL"',
    "Not implemented Error: serialize access",
    "Out of Range Error: Overflow in HTTP",
    "INTERNAL Error: Could not find matching file for written delete file\nConnection",
    "FATAL Error: Failed: database has been invalidated because of a previous fatal error.",
    "TransactionContext Error: cannot rollback - no transaction is active",
    FLUSH.format("server closed the connection") + 'ERROR:  duplicate key value violates unique constraint "x_pkey"\n',
    FLUSH.format('": ERROR:  could not extend file: No space left on device') + "ERROR:  division by zero\n",
    FLUSH.format("x") + 'ERROR:  invalid input syntax for type integer: "No space left on device"\n',
]
EXPECTED: dict[str, type[LotusLakeError] | None] = {
    **dict.fromkeys(RACES, LostRaceError),
    **dict.fromkeys(OUTAGES, UnreachableError),
    **dict.fromkeys(FULL, DiskFullError),
    **dict.fromkeys(REFUSED, RefusedError),
    **dict.fromkeys(SETTINGS, ConfigError),
    **dict.fromkeys(HELD, CatalogHeldError),
    **dict.fromkeys(UNFORESEEN, None),
}


@pytest.mark.parametrize("text", EXPECTED)
def test_an_error_is_judged_by_its_kind_and_place(text: str) -> None:
    kind = EXPECTED[text]
    found = translate_text(text, "testing")
    assert type(found) is (kind or type(None)), found
    # dbt indents the text and puts its own heading above.
    through_dbt = MODEL + text.replace("\n", "\n  ")
    assert type(translate_text(through_dbt, "testing")) is (kind or type(None))


@pytest.mark.parametrize("text", EXPECTED)
def test_a_message_is_one_line_without_the_statement(text: str) -> None:
    found = translate_text(text, "testing")
    if found is not None:
        assert "\n" not in found.message
        assert "INSERT INTO" not in found.message


def test_a_full_disk_is_named_by_its_folder() -> None:
    found = translate_text(FULL[1], "building x")
    assert found is not None
    assert found.message.startswith("the disk that holds /lake/data/main/t is full")
    assert found.exit_code == 3


def test_memory_names_the_setting() -> None:
    found = translate_text(SETTINGS[-1], "building x")
    assert found is not None
    assert "LOTUSLAKE_MEMORY_LIMIT" in found.message
    assert "18.2 MiB/19.0 MiB" in found.message


@pytest.mark.parametrize(
    ("sql", "kind"),
    [
        ("SELECT connection_id FROM (SELECT 1 AS http_timeout)", None),
        ("SELECT 'Connection reset by peer'::INT", None),
        ("SELECT error('SSL connection closed')", None),
        ("FROM read_parquet('/nowhere/connection.parquet')", UnreachableError),
        ("SELECT list(range) FROM range(30000000)", ConfigError),
    ],
)
def test_duckdb_really_says_so(sql: str, kind: type[LotusLakeError] | None) -> None:
    with duckdb.connect() as connection:
        connection.execute("SET memory_limit = '20MB'")
        connection.execute("SET temp_directory = ''")
        with pytest.raises(duckdb.Error) as raised:
            connection.execute(sql).fetchall()
    assert type(translate(raised.value, "testing")) is (kind or type(None))


def test_a_folder_that_is_not_there_is_trouble_outside(tmp_path: Path) -> None:
    target = tmp_path / "x.parquet"
    target.mkdir()
    with duckdb.connect() as connection, pytest.raises(duckdb.IOException) as raised:
        connection.execute(f"COPY (SELECT 1) TO '{target}/no/such/x.parquet'")
    assert type(translate(raised.value, "testing")) is UnreachableError


BROKEN_MODELS: dict[str, tuple[type[ModelError], str]] = {
    MODEL
    + 'Binder Error: Referenced column "connection_id" not found in FROM clause!\n  Candidate bindings: "id"\n  \n  LINE 4: x': (
        InvalidModelError,
        (
            "model m does not build (models/processed/int_shop__items.sql): Binder Error: "
            'Referenced column "connection_id" not found in FROM clause!'
        ),
    ),
    MODEL + 'Parser Error: syntax error at or near "form"\n  \n  LINE 1: select': (
        InvalidModelError,
        'model m does not build (models/processed/int_shop__items.sql): Parser Error: syntax error at or near "form"',
    ),
    "Compilation Error in model int_shop__items (processed/int_shop__items.sql)\n  'nothing' is undefined. x\n  \n  > in": (
        InvalidModelError,
        "model m does not compile (models/processed/int_shop__items.sql): 'nothing' is undefined. x",
    ),
    MODEL
    + "Conversion Error: Could not convert string 'jane@shop.example' to INT32 when casting from source column email": (
        ModelError,
        (
            "model m does not build (models/processed/int_shop__items.sql): Conversion Error: "
            "Could not convert string '…' to INT32 when casting from source column email"
        ),
    ),
    MODEL + 'Constraint Error: Duplicate key "id: 4711" violates primary key constraint.': (
        ModelError,
        (
            "model m does not build (models/processed/int_shop__items.sql): Constraint Error: "
            "Duplicate key '…' violates primary key constraint."
        ),
    ),
}


@pytest.mark.parametrize("text", BROKEN_MODELS)
def test_a_model_that_can_never_build_is_told_from_one_that_fails_on_its_data(text: str) -> None:
    kind, message = BROKEN_MODELS[text]
    found = model_error("m", text)
    assert (type(found), found.message) == (kind, message)
    assert found.exit_code == (2 if kind is InvalidModelError else 5)


def test_an_error_that_was_foreseen_is_raised_as_it_is_told() -> None:
    from lotuslake.adapters.duckdb_errors import translated

    def fail(error: Callable[[str], duckdb.Error], text: str) -> None:
        with translated("testing"):
            raise error(text)

    with pytest.raises(DiskFullError):
        fail(duckdb.IOException, FULL[1])
    with pytest.raises(duckdb.BinderException):
        fail(duckdb.BinderException, UNFORESEEN[0])
