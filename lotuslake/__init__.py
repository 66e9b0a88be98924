"""Lotus Lake: Airbyte's Parquet files into a tested DuckLake lakehouse, one command at a time."""

__version__ = "0.1.0"
