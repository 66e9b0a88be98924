"""Postgres advisory locks, on a connection of their own.

DuckDB's Postgres connections are pooled, so that a lock taken through them would lock nothing.
"""

from __future__ import annotations

import hashlib
import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psycopg

from lotuslake.adapters.waiting import Waiting

logger = logging.getLogger("lotuslake")

POLL_SECONDS = 0.25
CONNECT_TIMEOUT_SECONDS = 10


class PostgresLock:
    """See the port; without a connection it lets everybody go on, since it only spares work."""

    def __init__(self, url: str, *, wait_seconds: float = 20.0, interrupt: Callable[[], None] = lambda: None) -> None:
        self._url = url
        self._interrupt = interrupt
        self._wait_seconds = wait_seconds
        self._connection: psycopg.Connection[tuple[bool]] | None = None

    @contextmanager
    def held(self, name: str) -> Iterator[bool]:
        """See the port."""
        key = int.from_bytes(hashlib.blake2b(name.encode(), digest_size=8).digest(), signed=True)
        got = self._take(key, name)
        try:
            yield got
        finally:
            if got:
                self._call("SELECT pg_advisory_unlock(%s)", key)

    def close(self) -> None:
        """Give up every lock."""
        if self._connection is not None:
            self._connection.close()

    def _take(self, key: int, name: str) -> bool:
        waiting = Waiting(self._wait_seconds, self._interrupt)
        while True:
            got = self._call("SELECT pg_try_advisory_lock(%s)", key)
            if got or got is None or waiting.is_over:
                waiting.end()
                return bool(got)
            waiting.tell(f"another program is at the same work ({name})")
            time.sleep(POLL_SECONDS)

    def _call(self, statement: str, key: int) -> bool | None:
        """The answer, or None when Postgres gives none."""
        try:
            if self._connection is None or self._connection.closed:
                self._connection = psycopg.connect(
                    self._url, autocommit=True, connect_timeout=CONNECT_TIMEOUT_SECONDS, application_name="lotuslake"
                )
            row = self._connection.execute(statement, [key]).fetchone()
        except psycopg.Error as error:
            logger.debug("no advisory lock: %s", type(error).__name__)
            return None
        return row[0] if row else None
