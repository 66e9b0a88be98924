"""Whatever a file holds, it becomes plain values or one message."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lotuslake.config.document import load_document
from lotuslake.core.errors import ConfigError

yamlish = st.text("ab01:- \n\t{}[],&*!?|>'\"#.~<%@`=_/\\\u00e9", max_size=40)


@pytest.mark.parametrize("suffix", [".yml", ".json"])
@given(content=st.binary(max_size=40) | yamlish.map(str.encode))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_bytes(tmp_path: Path, suffix: str, content: bytes) -> None:
    path = tmp_path / f"any{suffix}"
    path.write_bytes(content)
    try:
        values = load_document(path, "any")
    except ConfigError as error:
        assert error.message.startswith("any")  # noqa: PT017 - either outcome is right
        assert "\n" not in error.message  # noqa: PT017 - as above
    else:
        assert all(isinstance(key, str) for key in values)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("yes", "yes"),
        ("off", "off"),
        ("True", True),
        ("012", "012"),
        ("0x1F", "0x1F"),
        ("1_000", 1000),
        ("-7", -7),
        ("1.5", 1.5),
        ("1e3", 1000.0),
        ("2024-01-31", "2024-01-31"),
        ("12:30:00", "12:30:00"),
        ("~", None),
        ("", None),
        ("1.2.3", "1.2.3"),
        ("=", "="),
    ],
)
def test_scalars(tmp_path: Path, text: str, value: object) -> None:
    path = tmp_path / "a.yml"
    path.write_text(f"key: {text}\n")
    assert load_document(path, "a.yml") == {"key": value}


def test_a_folder_in_place_of_a_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"^a\.yml: cannot be read: "):
        load_document(tmp_path, "a.yml")
