"""One DuckDB in this process, with the lake attached."""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import duckdb

from lotuslake.adapters.catalog_refusals import NO_LAKE, explain_catalog, refuse_foreign_database
from lotuslake.adapters.duckdb_errors import translate
from lotuslake.adapters.duckdb_opening import open_duckdb, quote_literal
from lotuslake.adapters.folders import require_folder, require_writable
from lotuslake.adapters.instance_options import InstanceOptions
from lotuslake.adapters.moved_roots import Move, follow, is_writable, plan_move, recorded_root, require_files
from lotuslake.adapters.waiting import Waiting
from lotuslake.core.errors import CatalogHeldError, ConfigError

logger = logging.getLogger("lotuslake")

LAKE = "lakehouse"
_NO_LAKE = "creating a new DuckLake is explicitly disabled"
LOCK_POLL_SECONDS = 0.25
# Another process has just made the lake; Postgres tells it in one of three ways, as far as that process had come.
_MADE_MEANWHILE = re.compile(
    r"Failed to initialize DuckLake.*(duplicate key|(relation|type) .+ already exists)", re.DOTALL
)
# The names of this process's databases: the first free one, since dbt parses a project anew under another name.
_names_in_use: set[str] = set()


class NoLakeError(Exception):
    """There is no lake in this catalog yet, and it was to be opened for reading only."""


class DuckDbInstance:
    """A named in-memory DuckDB: whoever connects to its name in this process, dbt too, shares it."""

    def __init__(self, options: InstanceOptions) -> None:
        self.options = options
        self.name = next(name for n in count(1) if (name := f":memory:lotuslake_{n}") not in _names_in_use)
        _names_in_use.add(self.name)
        self._connection: duckdb.DuckDBPyConnection | None = None
        self._read_only = True
        self._threads = options.threads

    @property
    def connection(self) -> duckdb.DuckDBPyConnection:
        """The connection on which the lake is attached; call `attach` first."""
        if self._connection is None:
            self._connection = open_duckdb(self.name, self.options)
        return self._connection

    @property
    def is_attached(self) -> bool:
        """Whether the lake is attached, read-only or not."""
        return self._connection is not None and bool(
            self._connection.execute("SELECT 1 FROM duckdb_databases() WHERE database_name = ?", [LAKE]).fetchone()
        )

    def attach(self, *, read_only: bool) -> None:
        """Attach the lake, waiting a while for another process to let go of an embedded catalog.

        Raises:
            CatalogHeldError: it did not let go.
            UnreachableError: the catalog or the store cannot be reached.
            ConfigError: the catalog belongs to another data root, is none of a lake, or may not be written.
            DiskFullError: it, or a root, lies on a full disk.
            NoLakeError: it is empty, and ``read_only`` asked for nothing to be created.
        """
        if self.is_attached:
            if self._read_only and not read_only:
                self.detach()
            else:
                return
        if not read_only:
            self._require_folders()
        waiting = Waiting(self.options.lock_wait_seconds, self.options.interrupt)
        while True:
            try:
                self._attach(read_only=read_only)
            except duckdb.Error as error:
                waiting.tell(self._explain(error, may_wait=not waiting.is_over))
                time.sleep(LOCK_POLL_SECONDS)
            else:
                waiting.end()
                self._read_only = read_only
                return

    def _require_folders(self) -> None:
        """Make the folders that an embedded catalog and a local data root lie in, where nothing may be written raise."""
        if self.options.is_embedded:
            catalog = Path(self.options.catalog)
            require_folder(catalog.parent, "LOTUSLAKE_CATALOG_URL")
            if catalog.exists():
                require_writable(catalog, "LOTUSLAKE_CATALOG_URL")
        if not self.options.data_url.startswith("s3://"):
            require_folder(Path(self.options.data_url), "LOTUSLAKE_DATA_URL")
        require_folder(self.options.temp_dir, "LOTUSLAKE_TEMP_DIR")

    @contextmanager
    def transaction(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """One snapshot of the lake: committed at the end, rolled back on any error."""
        connection = self.connection
        connection.execute("BEGIN")
        try:
            yield connection
            connection.execute("COMMIT")
        except BaseException:
            try:
                connection.execute("ROLLBACK")
            except duckdb.Error as nothing_open:
                # A failed COMMIT ends its transaction, and a lost connection has none.
                logger.debug("nothing to roll back: %s", type(nothing_open).__name__)
            raise

    def detach(self) -> None:
        """Let go of the lake: an embedded catalog becomes free for others."""
        if self.is_attached:
            self.connection.execute(f"DETACH {LAKE}")

    def reconnect(self) -> None:
        """Attach afresh, after a connection to the catalog was lost or a column's type was changed."""
        self.detach()
        self.attach(read_only=self._read_only)

    def restart(self) -> None:
        """Begin anew after an error of DuckDB's own, which leaves a database that answers nothing."""
        read_only = self._read_only
        if self._connection is not None:
            self._connection.close()
            self._connection = None
        self._threads = self.options.threads
        self.attach(read_only=read_only)

    @contextmanager
    def globbing(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """While it lasts, `*` in an S3 URL stands for any text, as where a whole folder is to be listed."""
        self._set_literal_keys(on=False)
        try:
            yield self.connection
        finally:
            self._set_literal_keys(on=True)

    @contextmanager
    def threads(self, number: int) -> Iterator[None]:
        """While it lasts, so many threads: many for waiting on a store, one for DuckLake's many tiny statements."""
        before = self._threads
        self._set_threads(number)
        try:
            yield
        finally:
            self._set_threads(before)

    def _set_threads(self, number: int) -> None:
        self.connection.execute(f"SET GLOBAL threads = {number}")
        self._threads = number

    def _set_literal_keys(self, *, on: bool) -> None:
        if self.options.uses_s3:
            self.connection.execute(f"SET GLOBAL s3_url_compatibility_mode = {str(on).lower()}")

    def close(self) -> None:
        """Close the database; everything in memory is gone."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None
        _names_in_use.discard(self.name)

    def _attach(self, *, read_only: bool) -> None:
        try:
            self._attach_or_make(read_only=read_only)
        except duckdb.Error as error:
            recorded = recorded_root(error)
            move = None if recorded is None else plan_move(self.options, recorded)
            if move is None:
                raise
            self._attach_moved(move, read_only=read_only)

    def _attach_or_make(self, *, read_only: bool) -> None:
        """Attach, and make a lake where there is none, but in no file that holds something else."""
        try:
            self.connection.execute(self._attach_statement(read_only=read_only, makes=False))
        except duckdb.Error as error:
            if NO_LAKE not in str(error):
                raise
            if self.options.is_embedded:
                refuse_foreign_database(self.connection, self.options.catalog)
            if read_only:
                raise NoLakeError from error
            self.connection.execute(self._attach_statement(read_only=False))

    def _attach_moved(self, move: Move, *, read_only: bool) -> None:
        """Attach a lake whose roots have moved; its catalog says so from now on, unless nobody may write to it."""
        follows = is_writable(self.options)
        self.connection.execute(self._attach_statement(read_only=read_only and not follows, moved=True))
        try:
            require_files(self.connection, move)
            if follows:
                follow(self.connection, move)
        except BaseException:
            self.detach()
            raise
        logger.warning("the lake was moved: its files are read from %s, no longer from %s", *reversed(move.roots[0]))
        if follows:
            # Afresh, so that nothing of the old places is remembered.
            self.detach()
            self.connection.execute(self._attach_statement(read_only=read_only))

    def _attach_statement(self, *, read_only: bool, moved: bool = False, makes: bool = True) -> str:
        options = self.options
        catalog = f"ducklake:{'' if options.is_embedded else 'postgres:'}{options.catalog}"
        settings = [
            f"DATA_PATH {quote_literal(options.data_url.rstrip('/') + '/')}",
            "DATA_INLINING_ROW_LIMIT 0",
            f"CREATE_IF_NOT_EXISTS {str(makes).lower()}",
        ]
        if read_only:
            settings.append("READ_ONLY")
        if moved:
            settings.append("OVERRIDE_DATA_PATH true")
        return f"ATTACH {quote_literal(catalog)} AS {LAKE} ({', '.join(settings)})"

    def _explain(self, error: duckdb.Error, *, may_wait: bool) -> str:
        """Raise what stands in the way, or say what it is where waiting may help."""
        if may_wait and _MADE_MEANWHILE.search(str(error)):
            return "another program is making the lake"
        if recorded := recorded_root(error):
            raise ConfigError(
                f"this catalog was made with the data root {recorded}, and LOTUSLAKE_DATA_URL is {self.options.data_url}: set "
                "it to that, or, if its files were moved, run: lotuslake register --relocate"
            ) from error
        known = translate(error, "opening the catalog")
        if isinstance(known, CatalogHeldError) and may_wait:
            return known.message.partition(";")[0]
        # First what is wrong with the catalog itself: a damaged file is no outage.
        told = explain_catalog(error, self.options.catalog) or known
        if told is None:
            raise error
        raise told from error
