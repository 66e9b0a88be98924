"""When two names of columns are one name to the engine."""

from __future__ import annotations

import string

_FOLD = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)


def fold_name(name: str) -> str:
    """What DuckDB compares names by: it knows no case of the letters A to Z, and of no others (seen with 1.5.5)."""
    return name.translate(_FOLD)
