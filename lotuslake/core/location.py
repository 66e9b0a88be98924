"""Where a root lies: a local folder, or a prefix of an S3 bucket."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Literal
from urllib.parse import unquote, urlsplit

Scheme = Literal["file", "s3"]

_BUCKET = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_GLOB = re.compile(r"[*?\[\]]")


@dataclass(frozen=True, slots=True)
class Location:
    """A root folder. ``path`` is an absolute path for `file`, the key prefix (`""` for none) for `s3`."""

    scheme: Scheme
    path: str
    bucket: str = ""

    def __str__(self) -> str:
        return self.join("")

    def join(self, path: str) -> str:
        """The URL or local path of something below this root, as DuckDB reads it; `""` is the root itself."""
        start = f"s3://{self.bucket}" if self.scheme == "s3" else ""
        below = self.key(path)
        if self.scheme == "s3":
            return f"{start}/{below}" if below else start
        return below

    def key(self, path: str) -> str:
        """The object key of something below this root (for `file`, its absolute path)."""
        if not path:
            return self.path
        return f"{self.path.rstrip('/')}/{path}" if self.path else path

    def contains(self, other: Location) -> bool:
        """Whether ``other`` is this root or lies in it.

        Local paths and buckets are compared without regard to case, as some file systems do; S3 keys are not.
        """
        return self.scheme == other.scheme and _is_prefix(self._parts(), other._parts())

    def _parts(self) -> tuple[str, ...]:
        if self.scheme == "file":
            return PurePosixPath(self.path.casefold()).parts
        return (self.bucket.casefold(), *(part for part in self.path.split("/") if part))


def _is_prefix(start: tuple[str, ...], whole: tuple[str, ...]) -> bool:
    return whole[: len(start)] == start


def parse_location(url: str) -> Location:
    """`s3://bucket/prefix`, `file:///folder` or a folder. A relative folder stays relative.

    Raises ValueError with a message that does not repeat the URL, since it might hold a password.
    """
    scheme, separator, rest = url.partition("://")
    if not separator:
        return Location("file", _checked(url))
    match scheme.lower():
        case "s3":
            return _s3(rest)
        case "file":
            return Location("file", _checked(_file_path(url)))
    raise ValueError("must be a folder, file:///folder or s3://bucket/prefix")


def _s3(rest: str) -> Location:
    bucket, _, prefix = rest.partition("/")
    if not _BUCKET.fullmatch(bucket):
        raise ValueError("has no valid bucket name; write s3://bucket/prefix (credentials: the AWS_* variables)")
    prefix = prefix.removesuffix("/")
    if any(part in ("", ".", "..") for part in prefix.split("/")) and prefix:
        raise ValueError("must not have '.', '..' or empty parts in its prefix")
    return Location("s3", _checked(prefix), bucket)


def _file_path(url: str) -> str:
    parts = urlsplit(url)
    if parts.netloc not in ("", "localhost") or not parts.path:
        raise ValueError("must name a folder of this machine: file:///folder, with three slashes")
    if parts.query or parts.fragment:
        raise ValueError("must not have a query or a fragment")
    return unquote(parts.path)


def _checked(path: str) -> str:
    if _GLOB.search(path):
        raise ValueError("must not contain *, ?, [ or ]: they would be read as a pattern")
    if not path.isprintable():
        raise ValueError("must not contain control characters")
    return path
