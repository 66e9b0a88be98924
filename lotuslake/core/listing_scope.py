"""Which part of a stream's landing path a listing covers, so that what it does not show is known to be gone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from lotuslake.core.ordering import is_data_file, is_hidden, partition_date


@dataclass(frozen=True, slots=True)
class ListingScope:
    """All data files of a landing path or, with ``since``, all but those of the days before, by `partition_date`.

    Files outside date partitions are covered whatever ``since`` says, with one exception that keeps a listing short: in
    a `year=` folder right below the landing path but in no day, as `year=2023/odd.parquet`, a file is covered only if
    its key sorts after the first day. A full sweep covers everything.
    """

    landing_path: str
    since: date | None = None

    @property
    def first_partition(self) -> str:
        """The least key that a date partition can have, seen from the landing root."""
        return f"{self.landing_path}/year="

    @property
    def start_after(self) -> str | None:
        """The key after which lie all covered files that are in a `year=` folder, or None for all of them.

        Zero-padded, it sorts before every way to write the same or a later day: `month=9` and `month=10` are both
        greater than `month=09`. The slash at the end matters: SeaweedFS leaves out a folder named without it.
        """
        if self.since is None:
            return None
        return f"{self.first_partition}{self.since.year:04}/month={self.since.month:02}/day={self.since.day:02}/"

    def covers(self, path: str) -> bool:
        """Whether a listing of this scope shows `path` if such a file exists; if it does not, the file is gone."""
        folder = f"{self.landing_path}/"
        return path.startswith(folder) and is_data_file(path.removeprefix(folder)) and self._covers_day(path)

    def passes_over(self, path: str) -> bool:
        """Whether `path` lies where data files lie and is none by its name, though nothing says that it is to be hidden."""
        folder = f"{self.landing_path}/"
        name = path.removeprefix(folder)
        return path.startswith(folder) and not (is_data_file(name) or is_hidden(name)) and self._covers_day(path)

    def _covers_day(self, path: str) -> bool:
        if self.since is None or self.start_after is None:
            return True
        if path.startswith(self.first_partition) and path <= self.start_after:
            return False
        day = partition_date(path)
        return day is None or day >= self.since
