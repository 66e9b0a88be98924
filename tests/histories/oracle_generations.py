"""Which files belong together, and in which order: the page's section "Generations", told again."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

from tests.histories.world import Record

DAY = 86_400


@dataclass
class Fact:
    """What is known of an object that came into landing: of one content of one path. Moments in seconds."""

    number: int
    name: str
    records: tuple[Record, ...]
    generation: int
    sync: int | None
    # The moment that the records' `ago` counts from, and when the object was written.
    written_at: int
    modified_at: int
    day: int
    is_standing: bool = True
    # Why it left: missing, expired, or accepted as vanished.
    left: str = ""
    is_accepted: bool = False
    was_accepted: bool = False
    is_replaced: bool = False
    was_read: bool = False

    @property
    def oldest(self) -> int:
        return min(self.written_at - record.ago for record in self.records)

    @property
    def newest(self) -> int:
        return max(self.written_at - record.ago for record in self.records)


@dataclass
class Generation:
    """Files that belong together."""

    id: int
    files: list[Fact] = field(default_factory=list)
    sync: int | None = None
    is_untold: bool = False

    @property
    def first(self) -> tuple[int, int]:
        return min(file.oldest for file in self.files), min(file.number for file in self.files)

    @property
    def newest(self) -> int:
        return max(file.newest for file in self.files)

    @property
    def begun_at(self) -> int:
        return min(file.modified_at for file in self.files)

    @property
    def last_written_at(self) -> int:
        return max(file.modified_at for file in self.files)

    @property
    def standing(self) -> list[Fact]:
        return [file for file in self.files if file.is_standing]

    @property
    def numbers(self) -> set[int]:
        return {file.number for file in self.files}

    @property
    def subject(self) -> str:
        return f"generation of {min(self.numbers)}"


def split_generations(facts: Sequence[Fact], settle_after: int) -> list[Generation]:
    """The generations of a full_refresh stream in order. A file without rows tells nothing."""
    files = sorted((fact for fact in facts if fact.records), key=lambda fact: (fact.oldest, fact.number))
    silent = _syncs_that_tell_nothing(files)
    by_id: dict[int, list[Fact]] = defaultdict(list)
    for fact in files:
        by_id[fact.generation].append(fact)
    generations = [
        generation for id_, group in by_id.items() for generation in _split(id_, group, silent, settle_after * 60)
    ]
    return sorted(generations, key=lambda generation: generation.first)


def _syncs_that_tell_nothing(files: Sequence[Fact]) -> set[int]:
    """Those whose generation ids go back in the order of extraction."""
    highest: dict[int, int] = {}
    silent = set()
    for fact in files:
        if fact.sync is None:
            continue
        if fact.generation < highest.get(fact.sync, fact.generation):
            silent.add(fact.sync)
        highest[fact.sync] = max(fact.generation, highest.get(fact.sync, fact.generation))
    return silent


def _split(id_: int, files: Sequence[Fact], silent: set[int], settle_seconds: int) -> list[Generation]:
    """Files of one id in the order of extraction."""
    found: list[Generation] = []
    for fact in files:
        sync = None if fact.sync in silent else fact.sync
        for generation in reversed(found):
            verdict = _belongs(fact, sync, generation, settle_seconds)
            if verdict:
                generation.files.append(fact)
                generation.sync = generation.sync if generation.sync is not None else sync
                generation.is_untold = generation.is_untold or verdict == "untold"
                break
        else:
            found.append(Generation(id_, [fact], sync))
    return found


def _belongs(fact: Fact, sync: int | None, generation: Generation, settle_seconds: int) -> str:
    """Whether a file belongs to a generation that began before it: `yes`, `untold`, or nothing for no."""
    silence = fact.oldest - generation.newest
    if silence >= DAY:
        return ""
    if sync is not None and generation.sync is not None:
        return "yes" if sync == generation.sync else ""
    if silence <= settle_seconds:
        return "yes"
    return "" if fact.modified_at - generation.last_written_at > settle_seconds else "untold"
