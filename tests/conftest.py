"""Services that several test folders share."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tests.support.services import ObjectStorage, running_seaweedfs


@pytest.fixture(scope="session")
def seaweedfs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ObjectStorage]:
    """The real SeaweedFS, one for the whole run; make a bucket of your own with `make_bucket()`."""
    with running_seaweedfs(tmp_path_factory.mktemp("seaweedfs")) as storage:
        yield storage


@pytest.fixture
def s3_environment(
    seaweedfs: ObjectStorage, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> ObjectStorage:
    """SeaweedFS, with this process's environment pointing at it."""
    request.getfixturevalue("no_aws")
    for name, value in seaweedfs.environment().items():
        monkeypatch.setenv(name, value)
    return seaweedfs


@pytest.fixture
def no_aws(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """An environment that knows nothing of AWS, whatever the developer's own holds."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    empty = tmp_path_factory.mktemp("aws")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(empty / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(empty / "credentials"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1,localhost")
