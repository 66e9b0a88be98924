"""Typed reading of one mapping of a config file, with messages that name the file and the key."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from lotuslake.config.units import DURATION_HINT, SIZE_HINT, parse_duration, parse_size
from lotuslake.core.errors import ConfigError

MAX_SHOWN = 60


@dataclass(frozen=True, slots=True)
class Section:
    """The keys and values of one level of a file. Every reader raises ConfigError for a value of the wrong kind."""

    file: str
    values: Mapping[str, Any]
    prefix: str = ""
    stream: str | None = None

    def error(self, key: str, problem: str) -> ConfigError:
        """An error about one key."""
        return ConfigError(f"{self.file}: key '{self.prefix}{key}' {problem}", stream=self.stream)

    def __contains__(self, key: str) -> bool:
        return key in self.values

    def refuse_unknown(self, known: Collection[str]) -> None:
        """Unknown keys are mistakes: say which known one is nearest."""
        for key in self.values:
            if key not in known:
                hint = nearest(key, known) or f"; known keys are {', '.join(sorted(known))}"
                raise self.error(key, f"is not known{hint}")

    def require(self, key: str, why: str) -> Any:
        """The value of a key that must be there."""
        if self.values.get(key) is None:
            raise self.error(key, f"is missing: {why}")
        return self.values[key]

    def is_null(self, key: str) -> bool:
        """Whether the key is written with no value, which turns an optional thing off."""
        return key in self.values and self.values[key] is None

    def text(self, key: str, default: str = "") -> str:
        """Text on one key."""
        value = self.values.get(key, default)
        if not isinstance(value, str):
            raise self.error(key, f"must be text, not {describe(value)}")
        return value.strip()

    def choice(self, key: str, options: Collection[str]) -> str:
        """One of a few words."""
        value = self.text(key)
        if value not in options:
            hint = nearest(value, options)
            raise self.error(key, f"must be {' or '.join(options)}, not {value!r}{hint}")
        return value

    def whole(self, key: str, minimum: int) -> int:
        """A whole number; true and false are none."""
        value: object = self.values[key]
        if isinstance(value, bool) or not isinstance(value, int) or value < minimum:
            raise self.error(key, f"must be a whole number, {minimum} or more, not {describe(value)}")
        return value

    def share(self, key: str) -> float:
        """A number from 0 to 1."""
        value = self.values[key]
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
            raise self.error(key, f"must be a number from 0 to 1, not {describe(value)}")
        return float(value)

    def duration(self, key: str) -> timedelta:
        """`2h`, `1d 12h` and so on, longer than nothing."""
        value = self.values[key]
        try:
            duration = parse_duration(value) if isinstance(value, str) else timedelta(0)
        except ValueError as error:
            raise self.error(key, f"is {describe(value)}: {error}") from None
        if not duration:
            raise self.error(key, f"is {describe(value)}: {DURATION_HINT}")
        return duration

    def size_bytes(self, key: str) -> int:
        """`512MiB`, `10MB` or plain bytes, at least one."""
        value = self.values[key]
        try:
            size = parse_size(value) if isinstance(value, str) else self.whole(key, 1)
        except ValueError as error:
            raise self.error(key, f"is {describe(value)}: {error}") from None
        if size < 1:
            raise self.error(key, f"is {describe(value)}: {SIZE_HINT}")
        return size

    def texts(self, key: str) -> tuple[str, ...]:
        """A list of texts."""
        value = self.values[key]
        if not isinstance(value, list) or not all(isinstance(item, str) and item for item in value):
            raise self.error(key, f"must be a list of texts, not {describe(value)}")
        return tuple(value)

    def section(self, key: str) -> Section:
        """A mapping below this one."""
        value = self.values[key]
        if not isinstance(value, Mapping):
            raise self.error(key, f"must be a mapping of keys, not {describe(value)}")
        return Section(self.file, value, f"{self.prefix}{key}.", self.stream)


def nearest(word: str, known: Iterable[str], cutoff: float = 0.55) -> str:
    """`; did you mean 'x'?` for the known word that is nearest, or nothing."""
    matches = difflib.get_close_matches(word, list(known), n=1, cutoff=cutoff)
    return f"; did you mean {matches[0]!r}?" if matches else ""


def describe(value: Any) -> str:
    """A value of a config file as a message shows it: short, and in YAML's words."""
    match value:
        case None:
            return "nothing"
        case bool():
            return str(value).lower()
        case str():
            return repr(value) if len(value) <= MAX_SHOWN else f"{value[:MAX_SHOWN]!r}..."
        case list():
            return "a list"
        case dict():
            return "a mapping"
    return str(value) if abs(value) < 10**20 else "a very large number"
