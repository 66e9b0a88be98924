"""What the page allows after a command."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeAlias

from tests.histories.oracle_lake import LakeState

Kinds: TypeAlias = set[str]
STATUS_KINDS = {"missing", "vanished", "quarantined", "overwritten"}


@dataclass
class Branch:
    """A state that the page allows after a command. Of `any_of` one must be open, unless it is empty."""

    state: LakeState
    exit_code: int | None = None
    must: Kinds = field(default_factory=set)
    may: Kinds = field(default_factory=set)
    any_of: Kinds = field(default_factory=set)
    note: str = ""
    is_refused: bool = False

    def allows(self, kinds: Kinds, exit_code: int) -> bool:
        allowed = self.must | self.may | self.any_of
        if not self.must <= kinds <= allowed or (self.any_of and not kinds & self.any_of):
            return False
        if self.exit_code is not None:
            return exit_code == self.exit_code
        return exit_code == (5 if kinds else 0)
