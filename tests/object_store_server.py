"""A server of S3's interface on loopback, as far as DuckDB's httpfs asks it: listing, and reading of ranges.

It is a process of its own: DuckDB keeps Python waiting while it looks at a file.
"""

from __future__ import annotations

import pickle
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, quote, unquote, urlsplit

LISTED = '<?xml version="1.0"?><ListBucketResult><IsTruncated>{}</IsTruncated>{}{}</ListBucketResult>'
OBJECT = "<Contents><Key>{}</Key><LastModified>2026-10-05T10:00:00.000Z</LastModified><Size>{}</Size></Contents>"
NEXT = "<NextContinuationToken>{}</NextContinuationToken>"


@contextmanager
def served(objects: Mapping[str, bytes], *, status: int = 200, endless: bool = False) -> Iterator[str]:
    """The host and port of a server that has these objects (`bucket/key`).

    With a `status` other than 200 it answers nothing else; an `endless` one says of every page that more follow.
    """
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen([sys.executable, __file__], **pipes) as process:
        assert process.stdin
        assert process.stdout
        process.stdin.write(pickle.dumps((dict(objects), status, endless)))
        process.stdin.close()
        try:
            yield f"127.0.0.1:{int(process.stdout.readline())}"
        finally:
            process.kill()


class Handler(BaseHTTPRequestHandler):
    """Answers from what stands in the class."""

    objects: Mapping[str, bytes]
    status: int
    endless: bool
    pages = 0

    def do_GET(self) -> None:
        """List a bucket, or give an object or a part of it."""
        asked = urlsplit(self.path)
        name, query = unquote(asked.path).strip("/"), parse_qs(asked.query)
        if self.status != 200:
            self._answer(self.status, b"")
        elif "list-type" in query:
            self._list(name, query.get("prefix", [""])[0])
        elif name in self.objects:
            self._range(self.objects[name])
        else:
            self._answer(404, b"")

    do_HEAD = do_GET

    def _list(self, bucket: str, prefix: str) -> None:
        keys = {
            name.removeprefix(f"{bucket}/"): len(body)
            for name, body in self.objects.items()
            if name.startswith(f"{bucket}/")
        }
        if not keys:
            self._answer(404, b"")
            return
        if self.endless:
            Handler.pages += 1
            keys = {f"{prefix}{self.pages}-{number}.jsonl": 1 for number in range(1000)}
        rows = "".join(OBJECT.format(quote(key), size) for key, size in keys.items() if key.startswith(prefix))
        token = NEXT.format(self.pages) if self.endless else ""
        self._answer(200, LISTED.format(str(self.endless).lower(), token, rows).encode())

    def _range(self, body: bytes) -> None:
        first, _, last = self.headers.get("Range", "").removeprefix("bytes=").partition("-")
        if not first:
            self._answer(200, body)
            return
        end = min(int(last or len(body)), len(body) - 1)
        self._answer(206, body[int(first) : end + 1], {"Content-Range": f"bytes {first}-{end}/{len(body)}"})

    def _answer(self, code: int, body: bytes, said: Mapping[str, str] | None = None) -> None:
        self.send_response(code)
        headers = {"Content-Length": str(len(body)), "Last-Modified": "Mon, 05 Oct 2026 10:00:00 GMT",
                   "ETag": '"1"', "Accept-Ranges": "bytes", **(said or {})}  # fmt: skip
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


if __name__ == "__main__":
    Handler.objects, Handler.status, Handler.endless = pickle.load(sys.stdin.buffer)
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        print(server.server_port, flush=True)
        server.serve_forever()
