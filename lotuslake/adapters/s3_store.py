"""Landing data in a bucket of S3 or of anything that speaks it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from lotuslake.adapters.aws import S3Access
from lotuslake.adapters.s3_errors import error_code, explained
from lotuslake.core.data_file import DataFile
from lotuslake.core.errors import UnreachableError
from lotuslake.ports.object_store import RequestCount

# Most listings are left early or find little, and a store takes four times as long for a full page.
FIRST_PAGE = 100
PAGE = 1000
CHUNK_BYTES = 1 << 20


class S3Store:
    """The objects below an S3 location."""

    def __init__(self, access: S3Access) -> None:
        self.requests = RequestCount()
        self._access = access
        self._bucket = access.location.bucket
        self._root = _folder(access.location.path)

    def has_root(self) -> bool:
        """See ObjectStore. A prefix is there as soon as an object is."""
        return True

    def list_objects(self, prefix: str, *, start_after: str | None = None) -> Iterator[DataFile]:
        """See ObjectStore."""
        whole, after = self._root + _folder(prefix), {}
        if start_after is not None:
            position = self._root + start_after
            if position.startswith(whole):
                after = {"StartAfter": position}
            elif position.encode() > whole.encode():
                # MinIO answers 501 to a position outside of the prefix. All that lies below it comes before this one.
                return
        for page in self._pages(Prefix=whole, **after):
            for item in page.get("Contents", ()):
                if not item["Key"].endswith("/"):
                    yield self._data_file(item["Key"].removeprefix(self._root), item, size_bytes=item["Size"])

    def list_folders(self, prefix: str) -> list[str]:
        """See ObjectStore."""
        folder = self._root + _folder(prefix)
        pages = self._pages(Prefix=folder, Delimiter="/")
        found = (item["Prefix"] for page in pages for item in page.get("CommonPrefixes", ()))
        return sorted(key.removeprefix(folder).removesuffix("/") for key in found)

    def head(self, path: str) -> DataFile | None:
        """See ObjectStore."""
        from botocore.exceptions import ClientError

        self.requests.heads += 1
        with explained(self._access, path):
            try:
                found = self._access.client.head_object(Bucket=self._bucket, Key=self._root + path)
            except ClientError as error:
                if error_code(error) not in {"404", "NoSuchKey"}:
                    raise
                self._require_bucket()
                return None
        return self._data_file(path, found, size_bytes=found["ContentLength"])

    def fetch(self, path: str, to: Path) -> None:
        """See ObjectStore."""
        self.requests.gets += 1
        with explained(self._access, path):
            found = self._access.client.get_object(Bucket=self._bucket, Key=self._root + path)
            try:
                written = _write(found["Body"], to)
            except BaseException:
                to.unlink(missing_ok=True)
                raise
        if written != found["ContentLength"]:
            to.unlink()
            raise UnreachableError(f"{self.url(path)}: read {written} of {found['ContentLength']} bytes.")

    def put(self, path: str, body: bytes) -> None:
        """See ObjectStore."""
        self.requests.puts += 1
        with explained(self._access, path, writes=True):
            self._access.client.put_object(Bucket=self._bucket, Key=self._root + path, Body=body)

    def delete(self, path: str) -> None:
        """See ObjectStore."""
        with explained(self._access, path):
            self._access.client.delete_object(Bucket=self._bucket, Key=self._root + path)

    def url(self, path: str) -> str:
        """`s3://bucket/key`, the key as it is."""
        return self._access.location.join(path)

    def _pages(self, **request: str) -> Iterator[Mapping[str, Any]]:
        size = FIRST_PAGE
        position: dict[str, str] = {}
        while True:
            self.requests.lists += 1
            with explained(self._access):
                page = self._access.client.list_objects_v2(Bucket=self._bucket, MaxKeys=size, **request, **position)
            if "IsTruncated" not in page:
                # A login page or a proxy's, well-formed enough to be read as "no objects": all files would be missing.
                raise UnreachableError(f"{self._access.location} at {self._access}: the answer is not a listing.")
            yield page
            if not page["IsTruncated"]:
                return
            size, position = PAGE, {"ContinuationToken": page["NextContinuationToken"]}

    def _require_bucket(self) -> None:
        """Tell a missing bucket from a missing object: a HEAD has no body that could say it."""
        from botocore.exceptions import ClientError

        self.requests.heads += 1
        try:
            self._access.client.head_bucket(Bucket=self._bucket)
        except ClientError as error:
            if error_code(error) in {"404", "NoSuchBucket"}:
                error.response["Error"]["Code"] = "NoSuchBucket"
            raise

    @staticmethod
    def _data_file(path: str, item: Mapping[str, Any], *, size_bytes: int) -> DataFile:
        # MinIO lists milliseconds, which a HEAD has no room for; S3 lists whole seconds.
        return DataFile(path, size_bytes, item["ETag"].strip('"'), item["LastModified"].replace(microsecond=0))


def _write(body: Any, to: Path) -> int:
    with to.open("wb") as file:
        return sum(file.write(chunk) for chunk in body.iter_chunks(CHUNK_BYTES))


def _folder(prefix: str) -> str:
    return f"{prefix}/" if prefix else ""
