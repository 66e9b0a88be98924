"""Without kubectl there is nothing to look at."""

import shutil

import pytest


@pytest.fixture(scope="session", autouse=True)
def kubectl() -> None:
    if shutil.which("kubectl") is None:
        pytest.skip("kubectl is not installed: the manifests were not built and not checked")
