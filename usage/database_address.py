"""The address of a database server: what of it may be shown, and errors that do not quote its secrets."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import parse_qs, unquote

from ..errors import UsageLogError

# Credentials end at the first @, as the clients read them: a sign like it within them must be percent-encoded.
HOST = r"(?:\[[^@/?#\]]*\]|[^@/?#,:\[\]]*)(?::\d*)?"
WRITTEN = re.compile(
    rf"[a-z]+://(?:(?P<user>[^:@/?#]*)(?::(?P<word>[^@/?#]*))?@)?(?P<hosts>{HOST}(?:,{HOST})*)"
    r"(?P<path>/[^@?#]*)?(?:\?(?P<query>\w+=[^#]*)?)?"
)
FIRST = re.compile(r"\[?(?P<host>[^\]]*?)\]?(?::(?P<port>\d*))?")
STRAY_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})|%00")


@dataclass(frozen=True)
class DatabaseAddress:
    """An address taken apart. `hosts` are as written, with ports; `query` are the client's own settings."""

    user: str
    word: str
    hosts: str
    path: str
    query: dict[str, str]

    @property
    def first(self) -> tuple[str, int]:
        """The first host, without brackets, and its port; 0 where none is written."""
        found = FIRST.fullmatch(self.hosts.partition(",")[0])
        return (found["host"], int(found["port"] or 0)) if found else ("", 0)

    def without_secrets(self, said: object, variables: Sequence[str] = ()) -> str:
        """What a client said, on one line, without the passwords of the address and of these variables."""
        words = {self.word, *(value for name, value in self.query.items() if "password" in name)}
        words |= {os.environ.get(name, "") for name in variables}
        text = " ".join(str(said).split())
        for word in sorted(
            (word for secret in words for word in (secret, unquote(secret)) if word), key=len, reverse=True
        ):
            text = text.replace(word, "…")
        return text


def database_address(address: str) -> DatabaseAddress:
    """Take an address apart. Raises UsageLogError, which quotes nothing of it, for what no client reads as one."""
    found = WRITTEN.fullmatch(address)
    if not found:
        raise _unclear("a sign of @ : / ? # within a user or a password is percent-encoded (%40 %3A %2F %3F %23)")
    if STRAY_PERCENT.search(address):
        raise _unclear("a % within it is percent-encoded (%25)")
    query = {name: values[-1] for name, values in parse_qs(found["query"] or "").items()}
    return DatabaseAddress(
        unquote(found["user"] or ""), found["word"] or "", found["hosts"].lower(), found["path"] or "", query
    )


def _unclear(why: str) -> UsageLogError:
    return UsageLogError(
        f"the address of the database cannot be read: {why}; it has the form NAME://USER@HOST:PORT/DATABASE, and the "
        "password is best left to the environment"
    )
