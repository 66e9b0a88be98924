"""The first connection of a run, tried for a while.

In a cluster a pod may begin before the rules of its network are in place: k3s programs NetworkPolicies after it, and until then
connections are refused or get no answer, those to the name server too (https://docs.k3s.io/networking/networking-services,
"Network Policy Controller").
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable, Sequence
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from lotuslake.adapters.waiting import Waiting

Address = tuple[str, int]

TRY_SECONDS = 3.0
POLL_SECONDS = 0.5
POSTGRES_PORT = 5432


class FirstConnections:
    """Waits at most ``limit_seconds`` for each place, once. Whether it answers then, and how, is for the caller to find out."""

    def __init__(self, limit_seconds: float, interrupt: Callable[[], None]) -> None:
        self._limit_seconds = limit_seconds
        self._interrupt = interrupt
        self._done: set[Address] = set()

    def await_postgres(self, url: str) -> None:
        """Until one of the URL's hosts takes a connection; a socket in a folder is not waited for."""
        if self._limit_seconds > 0:
            self._await("Postgres", postgres_addresses(url))

    def await_store(self, endpoint_url: str) -> None:
        """Until the endpoint takes a connection; where a proxy leads there, that answers."""
        if self._limit_seconds > 0:
            self._await("the object store", store_addresses(endpoint_url))

    def _await(self, what: str, addresses: Sequence[Address]) -> None:
        if not addresses or self._done.intersection(addresses):
            return
        self._done.update(addresses)
        waiting = Waiting(self._limit_seconds, self._interrupt)
        while (trouble := _trouble(addresses)) and not waiting.is_over:
            waiting.tell(f"{what}: {trouble}")
            time.sleep(POLL_SECONDS)
        waiting.end()


def postgres_addresses(url: str) -> list[Address]:
    """Every host that libpq would try, from the URL and the variables of libpq."""
    from psycopg import Error
    from psycopg.conninfo import conninfo_to_dict

    try:
        given = conninfo_to_dict(url)
    except Error:
        return []  # What is wrong with it is told by whoever connects.
    hosts = str(given.get("hostaddr") or given.get("host") or os.environ.get("PGHOST", "")).split(",")
    ports = str(given.get("port") or os.environ.get("PGPORT", POSTGRES_PORT)).split(",")
    ports = ports if len(ports) == len(hosts) else ports[:1] * len(hosts)
    pairs = zip(hosts, ports, strict=True)
    return [
        (host, int(port or POSTGRES_PORT))
        for host, port in pairs
        if host and not host.startswith(("/", "@")) and (port or "0").isdecimal()
    ]


def store_addresses(endpoint_url: str) -> list[Address]:
    """Host and port of an endpoint that is reached directly."""
    parts = urlsplit(endpoint_url)
    host = parts.hostname or ""
    if not host or (parts.scheme in getproxies() and not proxy_bypass(host)):
        return []
    return [(host, parts.port or {"http": 80}.get(parts.scheme, 443))]


def _trouble(addresses: Sequence[Address]) -> str | None:
    """What stands in the way of all of them, None where one takes a connection, or answers anything else than silence."""
    found = None
    for host, port in addresses:
        try:
            socket.create_connection((host, port), timeout=TRY_SECONDS).close()
        except ConnectionRefusedError:
            found = f"{host}:{port} refuses connections"
        except TimeoutError:
            found = f"{host}:{port} does not answer"
        except socket.gaierror:
            found = f"the name {host} is not found"
        except (OSError, UnicodeError):
            return None
        else:
            return None
    return found
