"""What a data file's path tells: whether it is data, which day it belongs to, and where it sorts."""

from __future__ import annotations

import re
from datetime import date
from itertools import zip_longest

# Pairs of (text, length of the number, number) and, to tell `07` from `7`, the path itself.
NaturalKey = tuple[tuple[tuple[str, int, str], ...], str]

_NUMBER = re.compile(r"([0-9]+)")
_PARTITION = re.compile(r"(?:^|/)year=([0-9]{4})/month=([0-9]{1,2})/day=([0-9]{1,2})/")
# Airbyte puts a suffix after the extension when a key is taken: `part_0.parquet-1`. Another extension behind it, as in
# `.parquet.tmp` or `.parquet.crc`, says that the file is something else.
_DATA_FILE_NAME = re.compile(r".*\.parquet(?:[-_ ][^.]*)?", re.IGNORECASE | re.DOTALL)
_HIDDEN = (".", "_")


def natural_key(path: str) -> NaturalKey:
    """Sort key that puts `part_9` before `part_10`; a total order over paths.

    Runs of ASCII digits compare as numbers of any length; other digits are plain text.
    """
    parts = _NUMBER.split(path)
    pairs = zip_longest(parts[::2], parts[1::2])
    return tuple(_natural_pair(text or "", digits) for text, digits in pairs), path


def _natural_pair(text: str, digits: str | None) -> tuple[str, int, str]:
    # Not int(): Python refuses to convert more than 4,300 digits.
    if digits is None:
        return text, -1, ""
    number = digits.lstrip("0")
    return text, len(number), number


def partition_date(path: str) -> date | None:
    """The day of a `year=YYYY/month=MM/day=DD/` folder in `path`, zero-padded or not; None if there is no such day."""
    match = _PARTITION.search(path)
    if match is None:
        return None
    year, month, day = (int(part) for part in match.groups())
    try:
        return date(year, month, day)
    except ValueError:
        return None


def is_data_file(path: str) -> bool:
    """Whether a path, taken relative to its stream's landing path, names Parquet data.

    Folders and files whose names start with `.` or `_` are hidden, as Spark and Hive have it (`_SUCCESS`,
    `_temporary/`, `_delta_log/`). An empty object counts: it is for the register step to say that it holds nothing.
    """
    return not is_hidden(path) and _DATA_FILE_NAME.fullmatch(path.rpartition("/")[2]) is not None


def is_hidden(path: str) -> bool:
    """Whether a path is not meant to be seen: its name, or that of a folder, begins with `.` or `_`."""
    return any(segment.startswith(_HIDDEN) for segment in path.split("/"))
