"""Where Airbyte is: from the environment alone; what is wrong is named and never repeated."""

from __future__ import annotations

import pytest

from lotuslake.config.airbyte_settings import AirbyteSettings, load_airbyte_settings
from lotuslake.core.errors import ConfigError


@pytest.mark.parametrize("end", ["", "/", "/api", "/api/v1", "/api/public/v1", "/api/public/v1/"])
def test_any_of_airbytes_roots_will_do(end: str) -> None:
    assert load_airbyte_settings({"AIRBYTE_API_URL": f"http://host:8000{end}"}) == AirbyteSettings("http://host:8000")


def test_the_secret_is_not_shown() -> None:
    environ = {"AIRBYTE_API_URL": "https://host", "AIRBYTE_CLIENT_ID": "me", "AIRBYTE_CLIENT_SECRET": "s3cret-text"}
    settings = load_airbyte_settings(environ)
    assert (settings.client_id, settings.client_secret) == ("me", "s3cret-text")
    assert "s3cret-text" not in repr(settings)


@pytest.mark.parametrize(
    ("environ", "message"),
    [
        ({}, "--refresh-source needs AIRBYTE_API_URL"),
        ({"AIRBYTE_API_URL": " "}, "--refresh-source needs AIRBYTE_API_URL"),
        ({"AIRBYTE_API_URL": "host:8000"}, "AIRBYTE_API_URL must be the URL"),
        ({"AIRBYTE_API_URL": "file:///etc"}, "AIRBYTE_API_URL must be the URL"),
        ({"AIRBYTE_API_URL": "http://host:port"}, "AIRBYTE_API_URL is not a valid URL"),
        ({"AIRBYTE_API_URL": "http://me:s3cret-text@host"}, "AIRBYTE_API_URL must not hold a user"),
        ({"AIRBYTE_API_URL": "http://host?token=s3cret-text"}, "AIRBYTE_API_URL must not hold a user"),
        (
            {"AIRBYTE_API_URL": "http://h", "AIRBYTE_CLIENT_ID": "me"},
            "AIRBYTE_CLIENT_ID is set and AIRBYTE_CLIENT_SECRET",
        ),
        ({"AIRBYTE_API_URL": "http://h", "AIRBYTE_CLIENT_SECRET": "s3cret-text"}, "AIRBYTE_CLIENT_SECRET is set and"),
    ],
)
def test_what_is_wrong_is_named(environ: dict[str, str], message: str) -> None:
    with pytest.raises(ConfigError, match=message) as caught:
        load_airbyte_settings(environ)
    assert "s3cret-text" not in str(caught.value)
