"""Another reader's word on a file that DuckDB gives up on for want of memory: then the file may be as good as any."""

from __future__ import annotations


def can_be_read(path: str, column: str | None = None) -> bool:
    """Whether pyarrow reads the footer of a Parquet file, and a column, a thousand rows at a time."""
    # Deferred: it takes a quarter of a second to import, for what hardly ever happens.
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path) as file:
            if column is not None:
                for _ in file.iter_batches(batch_size=1000, columns=[column]):
                    pass
    except (pa.ArrowException, OSError, UnicodeDecodeError):
        return False
    return True
