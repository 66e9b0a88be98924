"""S3 access is resolved as in every AWS tool, once for us and for DuckDB."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from lotuslake.adapters.aws import DuckdbS3Secret, S3Access
from lotuslake.core.errors import ConfigError
from lotuslake.core.location import parse_location

pytestmark = pytest.mark.usefixtures("no_aws")
LANDING = parse_location("s3://lake/landing")


def set_keys(monkeypatch: pytest.MonkeyPatch, **more: str) -> None:
    variables = {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "hush"} | more
    for name, value in variables.items():
        monkeypatch.setenv(name, value)


def write_profile(text: str) -> None:
    Path(os.environ["AWS_CONFIG_FILE"]).write_text(text)


def test_aws_itself_without_an_endpoint(monkeypatch: pytest.MonkeyPatch) -> None:
    set_keys(monkeypatch, AWS_SESSION_TOKEN="token", AWS_DEFAULT_REGION="eu-west-1")
    access = S3Access(LANDING)
    assert access.duckdb_secret() == DuckdbS3Secret(
        "key", "hush", "token", "eu-west-1", None, use_ssl=True, url_style="vhost", scope="s3://lake/landing"
    )
    assert str(access) == "AWS S3 (eu-west-1)"
    assert access.client.meta.endpoint_url == "https://s3.eu-west-1.amazonaws.com"


@pytest.mark.parametrize(
    ("url", "endpoint", "use_ssl"),
    [
        ("http://127.0.0.1:8333", "127.0.0.1:8333", False),
        ("https://minio.example", "minio.example", True),
        ("https://minio.example:9000/", "minio.example:9000", True),
        ("http://someone:password@[::1]:9000", "[::1]:9000", False),
    ],
)
def test_an_endpoint_of_ones_own(monkeypatch: pytest.MonkeyPatch, url: str, endpoint: str, use_ssl: bool) -> None:
    set_keys(monkeypatch, AWS_ENDPOINT_URL_S3=url)
    access = S3Access(LANDING)
    secret = access.duckdb_secret()
    assert (secret.endpoint, secret.use_ssl, secret.url_style) == (endpoint, use_ssl, "path")
    assert access.client.meta.config.s3["addressing_style"] == "path"
    assert "password" not in str(access)


def test_the_endpoint_for_s3_goes_before_the_general_one(monkeypatch: pytest.MonkeyPatch) -> None:
    set_keys(monkeypatch, AWS_ENDPOINT_URL="http://general:1")
    assert S3Access(LANDING).endpoint_url == "http://general:1"
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "http://special:2")
    assert S3Access(LANDING).endpoint_url == "http://special:2"
    monkeypatch.setenv("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true")
    assert S3Access(LANDING).endpoint_url is None


def test_regions_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    write_profile("[default]\nregion = from-profile\n")
    assert S3Access(LANDING).region == "from-profile"
    monkeypatch.setenv("AWS_DEFAULT_REGION", "from-default")
    assert S3Access(LANDING).region == "from-default"
    monkeypatch.setenv("AWS_REGION", "from-region")
    assert S3Access(LANDING).region == "from-region"


def test_no_region_at_all() -> None:
    assert S3Access(LANDING).region == "us-east-1"


def test_a_profile_brings_keys_and_endpoint() -> None:
    write_profile(
        "[profile raw]\naws_access_key_id = raw-key\naws_secret_access_key = raw-hush\n"
        "region = eu-north-1\nendpoint_url = https://raw.example\n"
    )
    secret = S3Access(LANDING, profile="raw").duckdb_secret()
    assert (secret.key_id, secret.region, secret.endpoint) == ("raw-key", "eu-north-1", "raw.example")


def test_a_profile_that_does_not_exist(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigError, match="The AWS profile 'raw' does not exist"):
        S3Access(LANDING, profile="raw").duckdb_secret()
    monkeypatch.setenv("AWS_PROFILE", "mine")
    with pytest.raises(ConfigError, match="The AWS profile 'mine' does not exist"):
        _ = S3Access(LANDING).client


def test_no_credentials() -> None:
    with pytest.raises(ConfigError, match="No AWS credentials for s3://lake/landing"):
        S3Access(LANDING).duckdb_secret()


def test_half_of_the_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    with pytest.raises(ConfigError, match="No complete AWS credentials for s3://lake/landing"):
        S3Access(LANDING).duckdb_secret()


def test_a_config_file_that_is_none() -> None:
    write_profile("[default\n=")
    with pytest.raises(ConfigError, match="AWS configuration files cannot be read"):
        _ = S3Access(LANDING).client


@pytest.mark.parametrize("url", ["127.0.0.1:8333", "ftp://x", "http://", "https:///bucket"])
def test_an_endpoint_that_is_no_url(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    set_keys(monkeypatch, AWS_ENDPOINT_URL_S3=url)
    with pytest.raises(ConfigError, match="AWS_ENDPOINT_URL_S3"):
        _ = S3Access(LANDING).client


def test_secrets_do_not_show(monkeypatch: pytest.MonkeyPatch) -> None:
    set_keys(monkeypatch, AWS_SESSION_TOKEN="token")
    shown = repr(S3Access(LANDING).duckdb_secret())
    assert "hush" not in shown
    assert "token'" not in shown
