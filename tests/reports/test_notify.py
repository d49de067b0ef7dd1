"""Webhooks, against a real HTTP server on loopback: what is sent, what is tried again, and what is never printed."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from costsim.errors import CostsimError, InputError, OutputError
from costsim.reports import notify as module
from costsim.reports.escaping import BREAK
from costsim.reports.notify import MAX_WAIT_SECONDS, notify, slack_message

SECRET = "T0SECRET/B0SECRET/xyzzy"
VARIABLE = "COSTSIM_WEBHOOK_URL"
Answer = tuple[int, dict[str, str]]


@dataclass
class Hook:
    """A webhook that gives the answers in turn, the last one again and again, and keeps what it was sent."""

    answers: list[Answer]
    port: int = 0
    received: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)

    def answer(self) -> Answer:
        return self.answers[min(len(self.received), len(self.answers)) - 1]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/services/{SECRET}"


@pytest.fixture
def hook(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Hook]]:
    """`hook((500, {}), (200, {}))`: the server runs, and the variable holds its URL."""
    servers: list[ThreadingHTTPServer] = []

    def start(*answers: Answer) -> Hook:
        kept = Hook(list(answers))

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                kept.received.append((self.path, dict(self.headers), body))
                status, headers = kept.answer()
                self.send_response(status)
                for name, value in {"Content-Length": "0", **headers}.items():
                    self.send_header(name, value)
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        servers.append(server)
        kept.port = server.server_address[1]
        monkeypatch.setenv(VARIABLE, kept.url)
        return kept

    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.fixture(autouse=True)
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The seconds that were waited between attempts, without waiting them."""
    waited: list[float] = []
    monkeypatch.setattr(module, "sleep", waited.append)
    return waited


def failure(**more: Any) -> str:
    """What the error says; the secret is in none."""
    with pytest.raises(CostsimError) as caught:
        notify({"text": "x"}, **more)
    said = str(caught.value)
    assert not [secret for secret in ("SECRET", "127.0.0.1", "\n") if secret in said]
    assert caught.value.__suppress_context__ or caught.value.__context__ is None
    return said


def test_a_message_is_posted_as_json(hook: Callable[..., Hook]) -> None:
    found = hook((200, {}))
    said = notify({"text": "over budget: 12 €", "usd": 12})
    assert said == f"notified the webhook in ${VARIABLE}"
    [(path, headers, body)] = found.received
    assert path == f"/services/{SECRET}"
    assert headers["Content-Type"] == "application/json; charset=utf-8"
    assert json.loads(body) == {"text": "over budget: 12 €", "usd": 12}


@pytest.mark.parametrize("status", [429, 500, 502, 503])
def test_a_server_that_is_busy_or_broken_is_asked_again_with_longer_waits(
    hook: Callable[..., Hook], waits: list[float], status: int
) -> None:
    found = hook((status, {}), (status, {}), (status, {}), (204, {}))
    assert notify({"text": "x"}).endswith("at attempt 4")
    assert len(found.received) == 4
    assert waits == [0.5, 1, 2]


def test_it_gives_up_after_the_retries(hook: Callable[..., Hook], waits: list[float]) -> None:
    found = hook((503, {}))
    assert failure(retries=2) == (
        f"the webhook in ${VARIABLE} answered 503 Service Unavailable 3 times; nobody was notified"
    )
    assert (len(found.received), waits) == (3, [0.5, 1])


def test_the_server_says_how_long_to_wait_within_bounds(hook: Callable[..., Hook], waits: list[float]) -> None:
    soon = format_datetime(datetime.now(UTC) + timedelta(seconds=9), usegmt=True)
    past = format_datetime(datetime.now(UTC) - timedelta(days=1), usegmt=True)
    asked = ["7", "86400", soon, past, "soonish", "9" * 400, "Wed, 21 Oct 99999999999 07:28:00 GMT"]
    hook(*((429, {"Retry-After": text}) for text in asked), (200, {}))
    notify({"text": "x"}, retries=len(asked))
    assert waits[0] == 7
    assert waits[1] == MAX_WAIT_SECONDS
    assert 6 < waits[2] <= 9
    assert waits[3] == 0
    assert waits[4] == 8  # 0.5 x 2^4, as if it had said nothing
    assert waits[5] == MAX_WAIT_SECONDS
    assert waits[6] == MAX_WAIT_SECONDS  # 0.5 x 2^6 = 32


@pytest.mark.parametrize("status", [400, 403, 404, 410])
def test_a_refusal_is_final(hook: Callable[..., Hook], waits: list[float], status: int) -> None:
    found = hook((status, {}))
    assert f"answered {status} " in failure()
    assert (len(found.received), waits) == (1, [])


@pytest.mark.parametrize("target", ["file:///etc/passwd", "https://elsewhere.example/", "/other"])
def test_redirects_are_not_followed(hook: Callable[..., Hook], target: str) -> None:
    found = hook((302, {"Location": target}))
    assert "redirects are not followed" in failure()
    assert len(found.received) == 1


def test_a_server_that_never_answers_times_out(monkeypatch: pytest.MonkeyPatch, waits: list[float]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        monkeypatch.setenv(VARIABLE, f"http://127.0.0.1:{silent.getsockname()[1]}/{SECRET}")
        assert "did not answer within 0.1 s 2 times" in failure(timeout_seconds=0.1, retries=1)
    assert waits == [0.5]


def test_a_server_that_answers_byte_by_byte_is_given_up_too(
    monkeypatch: pytest.MonkeyPatch, waits: list[float]
) -> None:
    def drip(listening: socket.socket) -> None:
        taken, _ = listening.accept()
        with taken, suppress(OSError):
            while True:
                taken.sendall(b"HTTP/1.1 200 OK\r\nX: "[len(sent) : len(sent) + 1] or b"x")
                sent.append(1)
                stop.wait(0.05)

    sent: list[int] = []
    stop = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as slow:
        threading.Thread(target=drip, args=(slow,), daemon=True).start()
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        monkeypatch.setenv(VARIABLE, f"http://127.0.0.1:{slow.getsockname()[1]}/{SECRET}")
        assert "did not answer within 0.3 s; nobody" in failure(timeout_seconds=0.3, retries=0)
    assert len(sent) > 3  # each reading was in time


def test_a_refused_connection_is_tried_again(monkeypatch: pytest.MonkeyPatch, waits: list[float]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as gone:
        port = gone.getsockname()[1]
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv(VARIABLE, f"http://127.0.0.1:{port}/{SECRET}")
    assert "cannot be reached 4 times" in failure()
    assert len(waits) == 3


def test_a_dry_run_says_what_it_would_send_and_needs_no_url(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    assert json.loads(notify({"text": "über"}, dry_run=True)) == {"text": "über"}


@pytest.mark.parametrize(
    "url",
    [
        "ftp://host/T0SECRET",
        "file:///T0SECRET",
        "T0SECRET",
        "https:///T0SECRET",
        "http://[T0SECRET",
        "javascript:T0SECRET",
    ],
)
def test_only_http_urls_are_posted_to(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("HOOK", url)
    with pytest.raises(InputError, match=r"^notify: the environment variable HOOK holds no http or https URL$"):
        notify({}, "HOOK")


def test_a_port_out_of_range_is_said_without_the_url(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, f"http://127.0.0.1:99999999/{SECRET}")
    assert f"${VARIABLE}" in failure()


@pytest.mark.parametrize("host", ["a" * 300, "a..b", "xn--", ".", "\udce9.example"])
def test_a_host_that_no_network_can_have_is_an_error_without_the_url(
    monkeypatch: pytest.MonkeyPatch, waits: list[float], host: str
) -> None:
    """A label of a host's name has 1 to 63 bytes; Python refuses others with a UnicodeError."""
    monkeypatch.setenv("HOOK", f"http://{host}/secret")
    with pytest.raises((InputError, OutputError)) as raised:
        notify({}, variable="HOOK", timeout_seconds=0.2)
    assert "secret" not in str(raised.value)


def test_an_unset_variable_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HOOK", raising=False)
    with pytest.raises(InputError, match="HOOK is not set"):
        notify({}, "HOOK")


def test_a_url_in_place_of_the_variables_name_is_not_repeated() -> None:
    with pytest.raises(InputError) as caught:
        notify({}, f"https://hooks.example/{SECRET}")
    assert SECRET not in str(caught.value)


def test_errors_are_those_of_output(hook: Callable[..., Hook]) -> None:
    hook((404, {}))
    with pytest.raises(OutputError):
        notify({})


def test_a_slack_message_has_text_for_notifications_and_blocks_for_reading() -> None:
    found = slack_message("Budget breached: total", ["total: $12 of $10", "largest: <!channel> & co"])
    assert found == {
        "text": "Budget breached: total",
        "blocks": [
            {"type": "header", "text": {"type": "plain_text", "text": "Budget breached: total", "emoji": False}},
            {
                "type": "section",
                "text": {
                    "type": "mrkdwn",
                    "text": "total: $12 of $10\nlargest: &lt;!channel&gt; &amp; co",
                    "verbatim": True,
                },
            },
        ],
    }


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("@channel", "@|channel"),
        ("see https://evil.example", "see https:|//evil.example"),
        ("_www.evil.example", "_www|.evil.example"),
        ("[open](evil.example)", "[open]|(evil.example)"),
        ("<https://evil.example|open>", "&lt;https:|//evil.example|open&gt;"),
        (":tada:", ":|tada:"),
        ("a\u202eb\x1bc", "a\ufffdb\ufffdc"),
        ("at 12:30", "at 12:30"),
    ],
)
def test_no_name_is_a_link_or_a_mention_in_a_chat(name: str, shown: str) -> None:
    """Slack makes links of bare addresses unless a text is verbatim; Mattermost and Rocket.Chat read Markdown in it."""
    found = slack_message(name, [name])
    header, section = (block["text"] for block in found["blocks"])
    assert found["text"].replace(BREAK, "|") == section["text"].replace(BREAK, "|") == shown
    assert (header["type"], section["verbatim"]) == ("plain_text", True)
    assert "\u202e" not in header["text"]


def test_a_long_message_keeps_slacks_limits_and_counts_what_is_left_out() -> None:
    found = slack_message("x" * 200, [f"{n} " + "y" * 998 for n in range(1_000)])
    header, *sections = found["blocks"]
    assert len(header["text"]["text"]) == 150
    assert len(found["blocks"]) == 50
    assert all(len(block["text"]["text"]) <= 3000 for block in sections)
    assert sections[-1]["text"]["text"] == f"… and {1_000 - 48 * 2} more lines"
