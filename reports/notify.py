"""Notify a webhook: one POST of JSON, tried again where that may help, with the URL a secret throughout.

The URL comes from an environment variable and is nowhere printed: whoever knows a webhook's URL can post to it.
Redirects are not followed, so that nothing is sent where the variable does not point.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from http.client import responses
from threading import Thread
from time import sleep
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from ..errors import InputError, OutputError
from ..json_text import readable
from .escaping import plain, slack

VARIABLE = "COSTSIM_WEBHOOK_URL"
"""The environment variable that holds the URL unless another one is named."""
FIRST_WAIT_SECONDS = 0.5
MAX_WAIT_SECONDS = 30.0
"""However long a server asks to be left alone, a build does not wait longer."""
SECTION_CHARS, SECTIONS, HEADER_CHARS = 3000, 48, 150
"""Slack's limits: a section's text, the blocks of a message (50, less the header and one for what is left out)."""


class Reply(NamedTuple):
    """How one attempt ended: in words, and whether it was delivered or may be tried again (and when, if it says so)."""

    message: str
    delivered: bool = False
    again: bool = False
    wait_seconds: float | None = None


def notify(
    payload: Mapping[str, Any],
    variable: str = VARIABLE,
    *,
    timeout_seconds: float = 10,
    retries: int = 3,
    dry_run: bool = False,
) -> str:
    """POST `payload` as JSON to the URL in the environment variable; returns a line that says how it went.

    429, 5xx and broken connections are tried `retries` times more, after 0.5, 1, 2, … seconds or what Retry-After
    asks for, at most 30. A dry run sends nothing, needs no URL and returns the JSON. Raises InputError where the
    variable holds no http(s) URL, OutputError where the message was not delivered.
    """
    body = readable(payload, default=str, indent=2 if dry_run else None)
    if dry_run:
        return body
    reply, attempts = _deliver(url_of(variable), body.encode(), timeout_seconds, retries)
    if reply.delivered:
        return f"notified the webhook in ${variable}{f' at attempt {attempts}' if attempts > 1 else ''}"
    tried = f" {attempts} times" if attempts > 1 else ""
    raise OutputError(f"the webhook in ${variable} {reply.message}{tried}; nobody was notified")


def url_of(variable: str) -> str:
    """The URL that an environment variable holds. Raises InputError where it holds none."""
    if not variable.isidentifier():  # perhaps the URL itself, which must not be printed
        raise InputError("name the environment variable that holds the URL, such as COSTSIM_WEBHOOK_URL", key="notify")
    url = os.environ.get(variable, "").strip()
    if not url:
        raise InputError(f"the environment variable {variable} is not set; put the webhook's URL in it", key="notify")
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:
        usable = False
    if not usable:
        raise InputError(f"the environment variable {variable} holds no http or https URL", key="notify")
    return url


def _deliver(url: str, body: bytes, timeout_seconds: float, retries: int) -> tuple[Reply, int]:
    """The last reply, and how many attempts it took."""
    for attempt in range(retries):
        reply = _attempt(url, body, timeout_seconds)
        if not reply.again:
            return reply, attempt + 1
        backoff = FIRST_WAIT_SECONDS * 2**attempt if reply.wait_seconds is None else reply.wait_seconds
        sleep(min(MAX_WAIT_SECONDS, backoff))
    return _attempt(url, body, timeout_seconds), retries + 1


def _attempt(url: str, body: bytes, timeout_seconds: float) -> Reply:
    """One attempt within that time: the client bounds each reading only, and a server may send byte by byte."""
    answered: Future[Reply] = Future()

    def post() -> None:
        try:
            answered.set_result(_post(url, body, timeout_seconds))
        except BaseException as fault:
            answered.set_exception(fault)

    Thread(target=post, daemon=True).start()
    try:
        return answered.result(timeout_seconds)
    except TimeoutError:
        return _late(timeout_seconds)


def _late(timeout_seconds: float) -> Reply:
    return Reply(f"did not answer within {timeout_seconds:g} s", again=True)


def _post(url: str, body: bytes, timeout_seconds: float) -> Reply:
    """What came of it. The reply's own words are not read: a server may repeat the URL in them."""
    import httpx2

    headers = {"Content-Type": "application/json; charset=utf-8", "User-Agent": "costsim"}
    try:
        with (
            httpx2.Client(headers=headers, timeout=timeout_seconds) as client,
            client.stream("POST", url, content=body) as response,
        ):
            return _reply(response.status_code, response.headers.get("Retry-After"))
    except httpx2.TimeoutException:
        return _late(timeout_seconds)
    except httpx2.TransportError:
        return Reply("cannot be reached", again=True)
    except (httpx2.HTTPError, httpx2.InvalidURL, ValueError):  # a host's label of over 63 bytes is a UnicodeError
        return Reply("is not a URL that can be posted to")


def _reply(status: int, retry_after: str | None) -> Reply:
    if 200 <= status < 300:
        return Reply("took it", delivered=True)
    message = f"answered {status} {responses.get(status, '')}".strip()
    if 300 <= status < 400:
        return Reply(f"{message}, and redirects are not followed")
    again = status == HTTPStatus.TOO_MANY_REQUESTS or status >= 500
    return Reply(message, again=again, wait_seconds=_seconds(retry_after) if again else None)


def _seconds(retry_after: str | None) -> float | None:
    """Retry-After in seconds from now: a number of them, or an HTTP date (RFC 9110, section 10.2.3)."""
    if retry_after is None:
        return None
    if retry_after.strip().isascii() and retry_after.strip().isdigit():
        return float(retry_after)
    try:
        moment = parsedate_to_datetime(retry_after)
    except (ValueError, OverflowError):  # a year beyond any
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return max(0.0, (moment - datetime.now(UTC)).total_seconds())


def slack_message(headline: str, lines: Sequence[str]) -> dict[str, Any]:
    """A message as Slack's incoming webhooks take it (and Mattermost's and Rocket.Chat's): a header, and the lines.

    Text is escaped, so that no name in it becomes a link or calls a whole channel; what exceeds Slack's limits is
    left out, and counted in a last line.
    """
    sections = list(_sections([slack(line) for line in lines]))
    shown = sections[:SECTIONS]
    left_out = len(lines) - sum(text.count("\n") + 1 for text in shown)
    if left_out:
        shown.append(f"… and {left_out:,} more lines")
    title = {"type": "plain_text", "text": _short(plain(" ".join(headline.split())), HEADER_CHARS), "emoji": False}
    blocks = [{"type": "section", "text": {"type": "mrkdwn", "text": text, "verbatim": True}} for text in shown]
    return {"text": slack(headline), "blocks": [{"type": "header", "text": title}, *blocks]}


def _sections(lines: Sequence[str]) -> Iterator[str]:
    """The lines gathered into texts that a section can hold."""
    gathered: list[str] = []
    for line in lines:
        if gathered and sum(map(len, gathered)) + len(gathered) + len(line) > SECTION_CHARS:
            yield "\n".join(gathered)
            gathered = []
        gathered.append(_short(line, SECTION_CHARS))
    if gathered:
        yield "\n".join(gathered)


def _short(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"
