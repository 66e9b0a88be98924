"""`streams/{source}/_source.yml` as a Source, and the defaults that it gives to its streams."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from lotuslake.config.options import OPTION_KEYS, Options, parse_options
from lotuslake.config.options import PLACES as OPTION_PLACES
from lotuslake.config.section import Section, describe
from lotuslake.config.stream_file import STREAM_OWN_KEYS
from lotuslake.core.source import MANUAL, Source

SOURCE_KEYS = (
    "description",
    "definition_id",
    "start_date",
    "schedule",
    "namespace",
    "secrets",
    "configuration",
    "connection_id",
    "defaults",
)
# Where a key belongs that stands here.
PLACES = {
    **OPTION_PLACES,
    **dict.fromkeys(OPTION_KEYS, "write it under defaults, for all streams of the source"),
    **dict.fromkeys(STREAM_OWN_KEYS, "it is a stream's: write it into the stream's own file"),
}
DEFAULT_PLACES = {
    **OPTION_PLACES,
    **dict.fromkeys(STREAM_OWN_KEYS, "it cannot be a default: write it into the stream's file"),
}

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_SECRET = re.compile(r"[A-Z][A-Z0-9_]*")
_SECRET_KEY = re.compile(
    r"(^|_)(password|secret|token|api_?key|access_key|private_key|credentials_json)$", re.IGNORECASE
)
_CRON_FIELD = re.compile(r"[0-9A-Z*?,/#-]+")


def parse_source(section: Section, name: str) -> tuple[Source, Options]:
    """A source and its streams' defaults. Raises ConfigError, or MistakesError with everything that is wrong."""
    section.refuse_unknown(SOURCE_KEYS, PLACES)
    source = Source(
        name=name,
        description=section.text("description"),
        definition_id=section.attempt(lambda: _uuid(section, "definition_id", "the Airbyte definition"), None),
        start_date=section.attempt(lambda: _start_date(section), None),
        schedule=section.attempt(lambda: _schedule(section), MANUAL),
        namespace=None if section.is_null("namespace") else section.text("namespace") or None,
        secrets=section.attempt(lambda: _secrets(section), ()),
        configuration=section.attempt(lambda: _configuration(section), {}),
        connection_id=section.attempt(
            lambda: _uuid(section, "connection_id", "the Airbyte connection, which its page's address holds"), None
        ),
    )
    options = Options()
    if "defaults" in section:
        defaults = section.section("defaults")
        defaults.refuse_unknown(OPTION_KEYS, DEFAULT_PLACES)
        options = parse_options(defaults, options)
    section.raise_mistakes()
    return source, options


def _uuid(section: Section, key: str, whose: str) -> str | None:
    value = section.text(key)
    if value and not _UUID.fullmatch(value):
        raise section.error(key, f"is {describe(value)}: write the UUID of {whose}")
    return value.lower() or None


def _start_date(section: Section) -> date | None:
    value = section.text("start_date")
    try:
        return date.fromisoformat(value) if value else None
    except ValueError:
        raise section.error("start_date", f"is {describe(value)}: write a date such as 2024-01-31") from None


def _schedule(section: Section) -> str:
    """Quartz: six or seven fields from seconds on, with `?` in one of the two day fields."""
    schedule = " ".join(section.text("schedule", MANUAL).split())
    if schedule == MANUAL:
        return schedule
    fields = schedule.upper().split()
    well_formed = len(fields) in (6, 7) and all(_CRON_FIELD.fullmatch(field) for field in fields)
    if not well_formed or [fields[3], fields[5]].count("?") != 1 or schedule.count("?") != 1:
        raise section.error(
            "schedule",
            f"is {describe(schedule)}: write manual or a Quartz cron expression of six fields from seconds on, "
            "with ? for one of the two days, such as '0 0 * * * ?'",
        )
    return schedule


def _secrets(section: Section) -> tuple[str, ...]:
    names = section.texts("secrets") if "secrets" in section else ()
    for name in names:
        if not _SECRET.fullmatch(name):
            # Not repeated in the message: somebody may have written the secret itself.
            raise section.error("secrets", "must list names such as KLAVIYO_API_KEY, in capitals, never their values")
    return names


def _configuration(section: Section) -> Mapping[str, Any]:
    """What the connector is told, as far as everybody may read it."""
    if section.values.get("configuration") is None:
        return {}
    configuration = section.section("configuration")
    for key in _secret_keys(configuration.values):
        # The value is not repeated in the message.
        raise configuration.error(key, "holds a secret: leave it out, name it under secrets and give it to Terraform")
    start_date, begins = section.text("start_date"), configuration.values.get("start_date")
    if start_date and begins is not None and not str(begins).startswith(start_date):
        raise configuration.error("start_date", f"is {describe(begins)}, but start_date says {describe(start_date)}")
    return configuration.values


def _secret_keys(values: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
    for key, value in values.items():
        if isinstance(value, Mapping):
            yield from _secret_keys(value, f"{prefix}{key}.")
        elif _SECRET_KEY.search(key) and isinstance(value, str):
            yield prefix + key
