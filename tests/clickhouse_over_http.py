"""ClickHouse's HTTP interface over its engine in this process (chDB): the real client talks to the real engine."""

from __future__ import annotations

import base64
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

USER, WORD = "reader", "hidden-word"
FORMAT = re.compile(r"\s+FORMAT\s+(\w+)\s*$", re.IGNORECASE)
REFUSED = b"Code: 516. DB::Exception: reader: Authentication failed: password is incorrect. (AUTHENTICATION_FAILED)"


@contextmanager
def served(session: Any, dying_of: str = "") -> Iterator[str]:
    """The host and port of a server over a session of chDB; it breaks off its answer to what contains `dying_of`."""
    asking = threading.Lock()  # a session answers one statement at a time

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = {name: values[0] for name, values in parse_qs(urlsplit(self.path).query).items()}
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
            if self._credentials() != (USER, WORD):
                self._answer(403, REFUSED)
                return
            sql = asked.get("query", body)
            try:
                with asking:
                    if "database" in asked:
                        session.query(f"USE {asked['database']}")
                    form = FORMAT.search(sql)
                    made = session.query(FORMAT.sub("", sql), form[1] if form else "TabSeparated").bytes()
            except RuntimeError as error:
                self._answer(500, str(error).encode())
                return
            dies = bool(dying_of) and dying_of in sql
            self._answer(200, made[: len(made) // 2] if dies else made, len(made))

        do_GET = do_POST

        def _credentials(self) -> tuple[str, ...]:
            if "X-ClickHouse-User" in self.headers:
                return self.headers["X-ClickHouse-User"], self.headers["X-ClickHouse-Key"]
            basic = self.headers.get("Authorization", "").removeprefix("Basic ")
            return tuple(base64.b64decode(basic).decode().split(":", 1))

        def _answer(self, status: int, body: bytes, promised: int | None = None) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(body) if promised is None else promised))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()
