"""In-memory ports: the whole program runs on them without a server, in our tests and in yours.

``MemoryStore`` stands for the object store and ``MemoryLake`` for DuckLake and dbt; its ``ledger``, ``landing`` and
``transformer`` are the ports that the commands take. Data files are made by ``data_file``::

    store = MemoryStore()
    row = {"id": 1, "_airbyte_raw_id": "a", "_airbyte_extracted_at": "2026-01-01"}
    store.put("shop/orders/year=2026/month=01/day=01/1_0.parquet", data_file([row]))
    lake = MemoryLake(store, [processed("int_shop__orders")])
    register([orders], RegisterPorts(store, lake.ledger, lake.landing), options, context)
    transform([orders], TransformPorts(lake.ledger, lake.transformer, lake.landing), options, context)
    lake.tables["int_shop__orders"]
"""

from lotuslake.testing.files import Row, data_file
from lotuslake.testing.lake import Call, DataTest, MemoryLake, MemoryModel, enriched, processed
from lotuslake.testing.newest_wins import newest_versions
from lotuslake.testing.store import MemoryStore, utc_now

__all__ = [
    "Call",
    "DataTest",
    "MemoryLake",
    "MemoryModel",
    "MemoryStore",
    "Row",
    "data_file",
    "enriched",
    "newest_versions",
    "processed",
    "utc_now",
]
