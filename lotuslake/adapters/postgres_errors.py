"""What Postgres answers to DuckDB's statements, in the program's own words.

DuckDB's Postgres extension repeats the statement with all its values, then the server's answer or, where the line was cut,
libpq's: `Failed to execute query "…": ERROR:  could not extend file …`. Postgres names its errors in the manual's appendix
"PostgreSQL Error Codes"; the texts are those of `elog.c`, `md.c` and `aclchk.c`.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping

from lotuslake.core.errors import ConfigError, LostRaceError, LotusLakeError, RefusedError, UnreachableError
from lotuslake.core.os_errors import FULL, disk_full

# The last severity after a closing quote: the statement before it may hold any text, the answer after it none of ours.
_ASKED = r'Failed to (?:execute query|prepare query|prepare COPY|fetch header for COPY) ".*": ?'
_ANSWERED = re.compile(_ASKED + r"(?P<reply>(?:ERROR|FATAL|PANIC):.*)", re.DOTALL)
_CUT = re.compile(_ASKED + r'(?P<reply>[^"]*)\Z', re.DOTALL)
_FULL = re.compile(rf"\w+:\s+.*: ({'|'.join(re.escape(os.strerror(number)) for number in FULL)})\Z")
_READ_ONLY = re.compile(r"ERROR:\s+cannot execute .+ in a read-only transaction\Z")
_DENIED = re.compile(r"ERROR:\s+(permission denied for|must be owner of) (?P<what>\w+ .+)\Z")
_RACES = re.compile(
    r"ERROR:\s+(could not serialize access|deadlock detected|"
    # Another process has flushed rows while this one read them.
    r'relation "[^"]*ducklake_inlined_\w+" does not exist)'
)
_GONE = re.compile(
    r"(FATAL|PANIC):|ERROR:\s+(canceling statement|terminating connection|out of memory|out of shared memory)"
)
# What libpq says of a connection that the server, or the role, will never give: `auth.c`, `postinit.c`, `fe-auth.c`.
_NO_ENTRY: Mapping[str, str] = {
    r"password authentication failed for user": "check PGPASSWORD or PGPASSFILE, and the role in LOTUSLAKE_CATALOG_URL",
    r"no password supplied": "set PGPASSWORD or PGPASSFILE",
    r'database "[^"]*" does not exist': "check the database in LOTUSLAKE_CATALOG_URL, or create it",
    r'role "[^"]*" does not exist': "check the role in LOTUSLAKE_CATALOG_URL, or create it",
    r'role "[^"]*" is not permitted to log in': "name a role in LOTUSLAKE_CATALOG_URL that may log in",
    r"no pg_hba\.conf entry for": "the server's pg_hba.conf lets this role in from elsewhere only, or with other TLS: PGSSLMODE",
    r"permission denied for database": "grant the role CONNECT, or name another in LOTUSLAKE_CATALOG_URL",
}
MAX_LENGTH = 200


def explain_connection(url: str, why: str) -> LotusLakeError:
    """What stands in the way of a connection to ``url``, by libpq's words for it."""
    said = " ".join(why.split()).removeprefix("connection to server ")
    message = f"Postgres does not take the connection ({url}): {said}"
    remedy = next(
        (told for pattern, told in _NO_ENTRY.items() if re.search(rf"(FATAL|failed):\s+.*{pattern}", why)), None
    )
    return UnreachableError(message) if remedy is None else RefusedError(f"{message}: {remedy}")


def find_reply(text: str) -> str | None:
    """The first line of what came back for a statement, empty where nothing did; None where no statement was refused."""
    found = _ANSWERED.search(text) or _CUT.search(text)
    return found["reply"].strip().split("\n", 1)[0].strip() if found else None


def explain_reply(reply: str, doing: str) -> LotusLakeError | None:
    """The program's error for it; None for what was not foreseen."""
    if _FULL.match(reply):
        return disk_full(f"the disk of Postgres is full ({reply[:MAX_LENGTH]})")
    if _READ_ONLY.match(reply):
        return ConfigError(
            "LOTUSLAKE_CATALOG_URL: Postgres takes no writes there: it is a replica's address, or the database or role is "
            "set to read-only"
        )
    denied = _DENIED.match(reply)
    if denied:
        return ConfigError(
            f"LOTUSLAKE_CATALOG_URL: the role may not use {denied['what']}: grant it the right, or name the role that owns it"
        )
    if _RACES.match(reply):
        return LostRaceError(f"another process changed the lake first while {doing}")
    if _GONE.match(reply) or not reply.startswith("ERROR:"):
        return UnreachableError(f"Postgres cut the line while {doing}: {reply[:MAX_LENGTH] or 'no answer came'}")
    return None
