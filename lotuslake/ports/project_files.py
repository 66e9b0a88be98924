"""The files of a project that commands write: generated documents, stream files, models."""

from __future__ import annotations

from typing import Protocol


class ProjectFiles(Protocol):
    """Text files by path relative to the project, with `/` between parts. Raises ConfigError for a bad one."""

    def load(self, path: str) -> str | None:
        """The text of a file; None when there is none."""

    def list_files(self, folder: str) -> list[str]:
        """Paths of the files that lie in a folder, in order; none when there is no folder."""

    def write(self, path: str, text: str) -> None:
        """Put the text in place at once, so that a reader sees the old file or the new one."""

    def remove(self, path: str) -> None:
        """Delete a file; one that is not there is fine."""
