"""The mark of its owner, a JSON object beside the lake's own files; DuckLake leaves alone what is no Parquet file."""

from __future__ import annotations

import json
import tempfile
from dataclasses import asdict
from pathlib import Path
from urllib.parse import urlsplit

from lotuslake.adapters.duckdb_errors import translated
from lotuslake.adapters.duckdb_instance import DuckDbInstance
from lotuslake.core.errors import ConfigError
from lotuslake.core.owner import Owner
from lotuslake.ports import ObjectStore
from lotuslake.sql import load_sql

MARK = "_lotuslake_owner.json"


class DataRootMark:
    """See the port for what the methods promise; ``store`` is that of the data root."""

    def __init__(self, instance: DuckDbInstance, store: ObjectStore, project_dir: Path) -> None:
        self._instance = instance
        self._store = store
        self._project_dir = project_dir

    def this(self) -> Owner:
        with translated("reading the lake's id"):
            row = self._instance.connection.execute(load_sql("maintenance")["lake_id"]).fetchone()
        return Owner(str(row[0]) if row else "", self._place())

    def load_owner(self) -> Owner | None:
        if self._store.head(MARK) is None:
            return None
        with tempfile.TemporaryDirectory() as folder:
            copy = Path(folder) / MARK
            self._store.fetch(MARK, copy)
            try:
                document = json.loads(copy.read_text(encoding="utf-8"))
                return Owner(str(document["lake"]), str(document["catalog"]))
            except (ValueError, KeyError, TypeError):
                raise ConfigError(
                    f"{self._store.url(MARK)} is no mark of this program: delete it if you know whose files lie there"
                ) from None

    def mark(self, owner: Owner) -> None:
        self._store.put(MARK, json.dumps(asdict(owner)).encode())

    def _place(self) -> str:
        options = self._instance.options
        if not options.is_embedded:
            url = urlsplit(options.catalog)
            return f"{url.netloc.rpartition('@')[2]}{url.path}"
        # A project that holds both is moved, or copied, with both.
        is_whole = all(place.startswith(f"{self._project_dir}/") for place in (options.data_url, options.catalog))
        return "" if is_whole else options.catalog
