"""Typed reading of one mapping of a config file, with messages that name the file and the key."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, TypeVar

from lotuslake.config.lines import line_of
from lotuslake.config.units import DURATION_HINT, SIZE_HINT, parse_duration, parse_size
from lotuslake.core.errors import ConfigError, MistakesError

T = TypeVar("T")

MAX_SHOWN = 60


class _ToldAlreadyError(ConfigError):
    """A key is missing because it is misspelt, which was told."""


@dataclass(frozen=True, slots=True)
class Section:
    """The keys and values of one level of a file.

    A reader that meets a value of the wrong kind notes the mistake, gives something harmless and goes on, so that one look
    at a file finds all of them; `raise_mistakes` ends the reading. ``mistakes`` is shared with the sections below.
    """

    file: str
    values: Mapping[str, Any]
    prefix: str = ""
    stream: str | None = None
    mistakes: list[ConfigError] = field(default_factory=list, compare=False)
    meant: set[str] = field(default_factory=set, compare=False)

    def error(self, key: str, problem: str, below: Sequence[str] = ()) -> ConfigError:
        """An error about one key, or about what stands ``below`` it, with the line where that can be told."""
        found = line_of(self.values, key, below)
        line = "" if found is None else f", line {found}"
        return ConfigError(f"{self.file}{line}: key '{self.prefix}{key}' {problem}", stream=self.stream)

    def note(self, key: str, problem: str) -> None:
        """Keep a mistake for the end."""
        self.mistakes.append(self.error(key, problem))

    def attempt(self, read: Callable[[], T], otherwise: T) -> T:
        """What ``read`` gives; where it raises, the mistakes are kept for the end."""
        try:
            return read()
        except MistakesError as errors:
            self.mistakes.extend(errors.errors)
        except _ToldAlreadyError:
            return otherwise
        except ConfigError as error:
            self.mistakes.append(error)
        return otherwise

    def raise_mistakes(self) -> None:
        """Raise what was noted: ConfigError for one mistake, MistakesError for several."""
        if len(self.mistakes) > 1:
            raise MistakesError(self.mistakes)
        if self.mistakes:
            raise self.mistakes[0]

    def __contains__(self, key: str) -> bool:
        return key in self.values

    def refuse_unknown(self, known: Collection[str], places: Mapping[str, str] | None = None) -> None:
        """Unknown keys are mistakes: say where they belong (``places``), or which known one is nearest."""
        for key in self.values:
            if key in known:
                continue
            if places and key in places:
                self.note(key, f"stands in the wrong place: {places[key]}")
                continue
            hint = nearest(key.lower(), known) or f"; known keys are {', '.join(sorted(known))}"
            self.note(key, f"is not known{hint}")
            # It is not missing as well.
            self.meant.update(name for name in known if repr(name) in hint)

    def require(self, key: str, why: str) -> Any:
        """The value of a key that must be there. Raises ConfigError."""
        if key in self.meant and key not in self.values:
            raise _ToldAlreadyError(key)
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
            self.note(key, f"must be text, not {describe(value)}")
            return default
        return value.strip()

    def choice(self, key: str, options: Sequence[str]) -> str:
        """One of a few words."""
        value = self.values.get(key)
        if not isinstance(value, str):
            self.note(key, f"must be text, not {describe(value)}")
            return options[0]
        if value.strip() not in options:
            self.note(key, f"must be {' or '.join(options)}, not {value!r}{nearest(value, options)}")
            return options[0]
        return value.strip()

    def whole(self, key: str, minimum: int) -> int:
        """A whole number; true and false are none."""
        value: object = self.values[key]
        if isinstance(value, bool) or not isinstance(value, int) or value < minimum:
            self.note(key, f"must be a whole number, {minimum} or more, not {describe(value)}")
            return minimum
        return value

    def share(self, key: str) -> float:
        """A number from 0 to 1."""
        value = self.values[key]
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
            self.note(key, f"must be a number from 0 to 1, not {describe(value)}")
            return 0.0
        return float(value)

    def duration(self, key: str) -> timedelta:
        """`2h`, `1d 12h` and so on, longer than nothing."""
        value = self.values[key]
        try:
            duration = parse_duration(value) if isinstance(value, str) else timedelta(0)
        except ValueError as error:
            self.note(key, f"is {describe(value)}: {error}")
            return timedelta(0)
        if not duration:
            self.note(key, f"is {describe(value)}: {DURATION_HINT}")
        return duration

    def size_bytes(self, key: str) -> int:
        """`512MiB`, `10MB` or plain bytes, at least one."""
        value = self.values[key]
        if not isinstance(value, str):
            return self.whole(key, 1)
        try:
            size = parse_size(value)
        except ValueError as error:
            self.note(key, f"is {describe(value)}: {error}")
            return 1
        if size < 1:
            self.note(key, f"is {describe(value)}: {SIZE_HINT}")
        return max(size, 1)

    def texts(self, key: str) -> tuple[str, ...]:
        """A list of texts."""
        value = self.values[key]
        if not isinstance(value, list) or not all(isinstance(item, str) and item for item in value):
            self.note(key, f"must be a list of texts, not {describe(value)}")
            return ()
        return tuple(value)

    def section(self, key: str) -> Section:
        """A mapping below this one."""
        value = self.values[key]
        if not isinstance(value, Mapping):
            self.note(key, f"must be a mapping of keys, not {describe(value)}")
            value = {}
        return Section(self.file, value, f"{self.prefix}{key}.", self.stream, self.mistakes)


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
