"""The invented shop behind `lotuslake demo`: deterministic records, laid out as Airbyte lands them."""

from lotuslake.demo.parquet import LandedRecord, arrow_schema, to_parquet_bytes
from lotuslake.demo.shop import DELIVERIES, Delivery, DeliveryName, DemoFile, Shop, build_shop, write_files

__all__ = [
    "DELIVERIES",
    "Delivery",
    "DeliveryName",
    "DemoFile",
    "LandedRecord",
    "Shop",
    "arrow_schema",
    "build_shop",
    "to_parquet_bytes",
    "write_files",
]
