"""Stream `shop/items` in a lake that things happen to, and what it must hold in plain Python.

The same scenes run on the embedded lake and on SeaweedFS with Postgres.
"""

from __future__ import annotations

import hashlib
import io
import os
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from lotuslake.adapters.duckdb_opening import extension_path
from lotuslake.demo.parquet import META_TYPE
from tests.functional.program import PARSED, make_project
from tests.support.expected import newest_versions
from tests.support.killing import Ended, Hold, Moment, Running, start
from tests.support.leaks import leaks_below
from tests.support.tally import count
from tools.services import ObjectStorage, Postgres

STREAM = "shop/items"
MODEL = "int_shop__items"
TODAY = datetime.now(UTC).date()
BEGINNING = datetime(2026, 1, 1, tzinfo=UTC)
STREAM_FILE = """
description: Items that things happen to.
sync_mode: incremental
destination_sync_mode: append
primary_key: [id]
cursor_field: updated_at
fields:
  id: {type: integer}
  updated_at: {type: string, format: date-time}
  amount: {type: integer}
  deleted_at: {type: string, format: date-time}
"""
INT_ITEMS = "select id, updated_at, amount, deleted_at, {{ airbyte_columns() }} from {{ landing() }}"
FCT_ITEMS = (
    "select count(*) as items, coalesce(sum(amount), 0)::bigint as amount from {{ ref('int_shop__items') }} "
    "where not is_deleted"
)
TESTS = """
models:
  - name: int_shop__items
    columns: [{name: id, data_tests: [unique, not_null]}]
"""
# Small steps, so that there are many moments between them.
SMALL = {"LOTUSLAKE_BATCH_MAX_FILES": "2", "LOTUSLAKE_MEMORY_LIMIT": "512MiB", "LOTUSLAKE_THREADS": "2"}
STAGING = "table_name LIKE '%\\_\\_rebuild%' ESCAPE '\\' OR table_name LIKE 'rebuild\\_%' ESCAPE '\\'"

_parsed: list[bytes] = []


@dataclass(frozen=True, slots=True)
class Item:
    """Version ``version`` of item ``id``; a greater one was extracted later."""

    id: int
    version: int
    is_tombstone: bool = False

    @property
    def extracted_at(self) -> datetime:
        return BEGINNING + timedelta(minutes=self.version)

    @property
    def raw_id(self) -> str:
        return f"{self.id}-{self.version}{'-gone' if self.is_tombstone else ''}"

    @property
    def data(self) -> dict[str, Any]:
        moment = self.extracted_at.isoformat()
        return {
            "id": self.id,
            "updated_at": None if self.is_tombstone else moment,
            "amount": None if self.is_tombstone else self.id * 1000 + self.version,
            "deleted_at": moment if self.is_tombstone else None,
        }


def items(first: int, number: int, version: int = 1) -> list[Item]:
    """A run of ids in one version."""
    return [Item(id_, version) for id_ in range(first, first + number)]


def file_of(rows: Sequence[Item], *, generation: int = 0, amount_type: Any = None, name: str = "") -> bytes:
    """A data file as Airbyte writes it. An amount of type string has to be converted; a name changes only the bytes."""
    amounts = [row.data["amount"] for row in rows]
    amount: Any = pa.array(amounts, pa.int64())
    if amount_type is not None:
        amount = pa.array([None if one is None else str(one) for one in amounts], amount_type)
    utc = pa.timestamp("us", tz="UTC")
    columns: dict[str, Any] = {
        "_airbyte_raw_id": pa.array([row.raw_id for row in rows], pa.string()),
        "_airbyte_extracted_at": pa.array([row.extracted_at for row in rows], pa.timestamp("ms", tz="UTC")),
        "_airbyte_meta": pa.array([{"sync_id": 1, "changes": []} for _ in rows], META_TYPE),
        "_airbyte_generation_id": pa.array([generation] * len(rows), pa.int64()),
        "id": pa.array([row.id for row in rows], pa.int64()),
        "updated_at": pa.array([None if row.is_tombstone else row.extracted_at for row in rows], utc),
        "amount": amount,
        "deleted_at": pa.array([row.extracted_at if row.is_tombstone else None for row in rows], utc),
        "note": pa.array([f"note {row.id}" for row in rows], pa.string()),
    }
    sink = io.BytesIO()
    table = pa.table(columns)
    # Beside the statistics in the footer, which stay as they are.
    table = table.replace_schema_metadata({"name": name} if name else None)
    pq.write_table(table, sink, store_schema=False)
    return sink.getvalue()


def path_of(name: str, *, days_ago: int = 0) -> str:
    """A key in the folder of a day."""
    day = TODAY - timedelta(days=days_ago)
    return f"{STREAM}/year={day.year}/month={day.month:02}/day={day.day:02}/{name}.parquet"


def shown(rows: Sequence[Item]) -> list[tuple[Any, ...]]:
    """`(id, amount, is_deleted, raw id)` of each key after all of these versions."""
    current = newest_versions(rows, "updated_at", "deleted_at")
    return sorted((key, row.data["amount"], row.is_deleted, row.raw_id) for key, row in current.items())


@dataclass
class FaultLake(ABC):
    """A project and the files that were put into its landing root; ``files`` says what each must give."""

    root: Path
    environment: dict[str, str] = field(default_factory=dict, repr=False)
    files: dict[str, list[Item]] = field(default_factory=dict)
    bad: set[str] = field(default_factory=set)

    def put(self, path: str, rows: Sequence[Item], **options: Any) -> str:
        """A data file; returns its path."""
        self.put_body(path, file_of(rows, **options))
        self.files[path] = list(rows)
        self.bad.discard(path)
        return path

    def put_bad(self, path: str, body: bytes = b"PAR1 and then nothing") -> None:
        """A file that no reader takes."""
        self.put_body(path, body)
        self.files.pop(path, None)
        self.bad.add(path)
        count("bad files")

    def vanish(self, path: str) -> list[Item]:
        """Somebody deletes the object; returns what it held."""
        self.delete(path)
        self.bad.discard(path)
        return self.files.pop(path, [])

    @property
    @abstractmethod
    def data(self) -> str:
        """The data root."""

    @abstractmethod
    def put_body(self, path: str, body: bytes) -> None: ...
    @abstractmethod
    def delete(self, path: str) -> None: ...
    @abstractmethod
    def raw(self) -> dict[str, str]:
        """Digest of every object below the landing root."""

    @abstractmethod
    @contextmanager
    def stock(self, *, read_only: bool = True) -> Iterator[duckdb.DuckDBPyConnection]:
        """A DuckDB that knows nothing of the program, with the lake attached and used."""

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        with self.stock() as connection:
            return connection.execute(query).fetchall()

    def start(self, *arguments: str, moment: Moment | None = None, hold: Hold | None = None, **changed: Any) -> Running:
        """The program in a forked process."""
        return start(arguments, self._all_environment() | changed, self.root, moment, hold)

    def run(self, *arguments: str, expect: Sequence[int] = (0, 5), **changed: Any) -> Ended:
        """The program, awaited; ends with one of these exit codes."""
        ended = self.start(*arguments, **changed).wait()
        assert ended.exit_code in expect, f"{arguments}: {ended.exit_code}\n{ended.stdout}\n{ended.stderr[-3000:]}"
        return ended

    def kill(self, *arguments: str, moment: Moment, **changed: Any) -> bool:
        """The program, killed at a moment; whether the moment came."""
        ended = self.start(*arguments, moment=moment, **changed).wait()
        assert ended.was_killed or ended.exit_code in {0, 5}, f"{moment}: {ended.exit_code}\n{ended.stderr[-3000:]}"
        if ended.was_killed:
            count("kills")
        return ended.was_killed

    def settle(self, **changed: Any) -> None:
        """What a person or a CronJob does after anything: the same commands once more."""
        self.run("register", "--full-sweep", **changed)
        self.run("transform", **changed)
        if not _parsed and (self.root / PARSED).is_file():
            _parsed.append((self.root / PARSED).read_bytes())

    def take_up_parsing(self) -> None:
        """What dbt has parsed in one project saves it most of the work in the next."""
        if _parsed and not (self.root / PARSED).exists():
            (self.root / PARSED).parent.mkdir(parents=True, exist_ok=True)
            (self.root / PARSED).write_bytes(_parsed[0])

    def all_rows(self) -> list[Item]:
        """Every version in every file that stands."""
        return [row for rows in self.files.values() for row in rows]

    def check_landing(self) -> None:
        """Nothing is registered twice, and landing holds what the ledger says, file by file."""
        with self.stock() as connection:
            tables = {
                row[0] for row in connection.execute("SELECT table_name FROM information_schema.tables").fetchall()
            }
            if "stg_shop__items" not in tables or "current_files" not in tables:
                return
            landed = connection.execute(
                "SELECT filename, count(*) FROM landing.stg_shop__items GROUP BY ALL ORDER BY 2"
            ).fetchall()
            known = connection.execute(
                "SELECT coalesce(data_path, path), rows FROM meta.current_files "
                "WHERE status IN ('registered', 'copied') ORDER BY 2"
            ).fetchall()
            numbers = connection.execute("SELECT count(*), count(DISTINCT seq) FROM meta.files").fetchall()
        have = sorted((*_tail(name, known), n) for name, n in landed)
        assert have == sorted(known), f"landing holds {have}, the ledger says {sorted(known)}"
        assert numbers[0][0] == numbers[0][1], "a log number was given out twice"

    def check(self, learned: Sequence[Item] = ()) -> None:
        """All is as one clean run over the same files would have left it; ``learned`` is what vanished objects told."""
        self.check_landing()
        with self.stock() as connection:
            found = connection.execute(
                f"SELECT id, amount, is_deleted, coalesce(_airbyte_raw_id, '') FROM processed.{MODEL} ORDER BY ALL"
            ).fetchall()
            ledger = connection.execute(
                "SELECT path, status, rows FROM meta.current_files WHERE status NOT IN ('missing', 'superseded') ORDER BY ALL"
            ).fetchall()
            strays = connection.execute(f"SELECT table_name FROM information_schema.tables WHERE {STAGING}").fetchall()
            totals = connection.execute("SELECT items, amount FROM enriched.fct_items").fetchall()
        expected = shown([*self.all_rows(), *learned])
        assert found == expected
        live = [amount for _, amount, is_deleted, _ in expected if not is_deleted]
        assert totals == [(len(live), sum(live))]
        assert [row[0] for row in ledger] == sorted([*self.files, *self.bad])
        for path, status, rows in ledger:
            if path in self.bad:
                assert status == "quarantined"
            else:
                assert status in {"registered", "copied"} or not self.files[path]
                assert rows == len(self.files[path])
        assert strays == []
        # What was said, dbt's own log among it: the program's folder holds all that it wrote down.
        assert leaks_below(self.root) == []

    def _all_environment(self) -> dict[str, str]:
        return SMALL | {"LOTUSLAKE_PROJECT_DIR": str(self.root)} | self.environment


def _tail(name: str, known: Sequence[tuple[str, int]]) -> tuple[str]:
    """The path of the ledger that a file's URL ends in."""
    return (next((path for path, _ in known if name.endswith(path)), name),)


def make_items_project(root: Path, stream_file: str = STREAM_FILE) -> None:
    """The project folder."""
    make_project(
        root,
        {STREAM: stream_file},
        {
            "processed/int_shop__items.sql": INT_ITEMS,
            "processed/items.yml": TESTS,
            "enriched/fct_items.sql": FCT_ITEMS,
        },
    )


@dataclass
class EmbeddedLake(FaultLake):
    """Everything below `.lotuslake/`."""

    @property
    def landing(self) -> Path:
        return self.root / ".lotuslake" / "landing"

    @property
    def data(self) -> str:
        return str(self.root / ".lotuslake" / "data")

    def put_body(self, path: str, body: bytes) -> None:
        target = self.landing / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(body)
        # A minute old, so that it has settled where a stream waits for a second.
        minute_ago = time.time_ns() - 60 * 10**9
        os.utime(target, ns=(minute_ago, minute_ago))

    def delete(self, path: str) -> None:
        (self.landing / path).unlink()

    def raw(self) -> dict[str, str]:
        files = (path for path in self.landing.rglob("*") if path.is_file())
        return {str(path.relative_to(self.landing)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}

    @contextmanager
    def stock(self, *, read_only: bool = True) -> Iterator[duckdb.DuckDBPyConnection]:
        catalog = self.root / ".lotuslake" / "catalog.ducklake"
        with duckdb.connect() as connection:
            connection.execute(f"LOAD '{extension_path('ducklake')}'")
            connection.execute("SET TimeZone = 'UTC'")
            if catalog.exists():
                mode = "(READ_ONLY)" if read_only else "(DATA_INLINING_ROW_LIMIT 0)"
                connection.execute(f"ATTACH 'ducklake:{catalog}' AS lakehouse {mode}")
                connection.execute("USE lakehouse")
            yield connection


@dataclass
class ServiceLake(FaultLake):
    """On SeaweedFS and Postgres."""

    storage: ObjectStorage = field(kw_only=True, repr=False)
    postgres: Postgres = field(kw_only=True, repr=False)
    bucket: str = ""
    url: str = ""

    def __post_init__(self) -> None:
        self.bucket, self.url = self.storage.make_bucket(), self.postgres.make_database()
        self.environment |= {
            **self.storage.environment(),
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "AWS_EC2_METADATA_DISABLED": "true",
            "NO_PROXY": "127.0.0.1,localhost",
            "LOTUSLAKE_LANDING_URL": f"s3://{self.bucket}/landing",
            "LOTUSLAKE_DATA_URL": f"s3://{self.bucket}/data",
            "LOTUSLAKE_CATALOG_URL": self.url,
            "PGPASSWORD": self.postgres.password,
            "PGSSLMODE": "disable",
        }

    @property
    def data(self) -> str:
        return f"s3://{self.bucket}/data"

    def through(self, port: int) -> dict[str, Any]:
        """What changes in the environment when a proxy stands before Postgres."""
        return {"LOTUSLAKE_CATALOG_URL": self.postgres.url(self.url.rpartition("/")[2], port=port)}

    def put_body(self, path: str, body: bytes) -> None:
        self.storage.client().put_object(Bucket=self.bucket, Key=f"landing/{path}", Body=body)

    def put_own(self, path: str, body: bytes) -> None:
        """A file of the lake's own, below the data root."""
        self.storage.client().put_object(Bucket=self.bucket, Key=f"data/{path}", Body=body)

    def delete(self, path: str) -> None:
        self.storage.client().delete_object(Bucket=self.bucket, Key=f"landing/{path}")

    def raw(self) -> dict[str, str]:
        client = self.storage.client()
        pages = client.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix="landing/")
        keys = [item["Key"] for page in pages for item in page.get("Contents", ())]
        return {
            key: hashlib.sha256(client.get_object(Bucket=self.bucket, Key=key)["Body"].read()).hexdigest()
            for key in keys
        }

    @contextmanager
    def stock(self, *, read_only: bool = True) -> Iterator[duckdb.DuckDBPyConnection]:
        with duckdb.connect() as connection:
            for name in ("ducklake", "httpfs", "postgres_scanner"):
                connection.execute(f"LOAD '{extension_path(name)}'")
            connection.execute("SET TimeZone = 'UTC'")
            connection.execute(
                f"CREATE SECRET (TYPE s3, KEY_ID '{self.storage.access_key}', SECRET '{self.storage.secret_key}', "
                f"REGION 'us-east-1', ENDPOINT '{self.storage.endpoint.partition('//')[2]}', URL_STYLE 'path', USE_SSL false)"
            )
            mode = "(READ_ONLY)" if read_only else "(DATA_INLINING_ROW_LIMIT 0)"
            with _environment({"PGPASSWORD": self.postgres.password, "PGSSLMODE": "disable"}):
                if self._has_lake():
                    connection.execute(f"ATTACH 'ducklake:postgres:{self.url}' AS lakehouse {mode}")
                    connection.execute("USE lakehouse")
                yield connection

    def _has_lake(self) -> bool:
        with self.postgres.admin(self.url.rpartition("/")[2]) as connection:
            found = connection.execute("SELECT 1 FROM pg_tables WHERE tablename = 'ducklake_metadata'").fetchone()
        return found is not None


@contextmanager
def _environment(values: Mapping[str, str]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
