"""Bytes that are not read, whatever they hold: archives, packings of other kinds, text in UTF-16 or UTF-32.

They are known by their beginning, so that no part of them is taken for lines of a log.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

ARCHIVE, UTF_16, UTF_32 = "an archive", "text in UTF-16", "text in UTF-32"
HEADER = 512  # bytes of a tar's header, before each of its files
MAGIC, CHECKSUM = slice(257, 262), slice(148, 156)
OCTAL = re.compile(rb"[ 0]*([0-7]+)[ \0]+")


@dataclass(frozen=True)
class NotRead:
    """What some content is, in a sentence about it; its kind, of many; and what to do."""

    what: str
    kind: str
    way_out: str


def _archive(what: str, command: str) -> NotRead:
    return NotRead(what, ARCHIVE, f"unpack it ({command}), and load what was in it")


def _text(kind: str, encoding: str) -> NotRead:
    return NotRead(f"a {kind}", kind, f"save it as UTF-8 (iconv -f {encoding} -t UTF-8)")


TAR = _archive("a tar archive", "tar -xf FILE")
XZ = _archive("packed by xz", "xz -dk FILE")
KINDS: tuple[tuple[bytes, NotRead], ...] = (
    (rb"PK(\x03\x04|\x05\x06|\x07\x08)", _archive("a zip archive", "unzip FILE")),
    (rb"7z\xbc\xaf\x27\x1c", _archive("a 7z archive", "7z x FILE")),
    (rb"Rar!\x1a\x07", _archive("a rar archive", "unrar x FILE")),
    (rb"MSCF\x00{4}", _archive("a cabinet archive", "cabextract FILE")),
    (rb"!<(arch|thin)>\n", _archive("an ar archive", "ar x FILE")),
    (rb"07070[12][0-9A-Fa-f]{104}|070707[0-7]{70}|\xc7\x71.{24}", _archive("a cpio archive", "cpio -id < FILE")),
    (rb"BZh[1-9](1AY&SY|\x17\x72\x45\x38\x50\x90)", _archive("packed by bzip2", "bzip2 -dk FILE")),
    (rb"\xfd7zXZ\x00", XZ),
    (rb"\x5d\x00\x00.{2}(\xff{8}|.{5}\x00{3})", XZ),  # .lzma
    (rb"LZIP[\x00\x01]", _archive("packed by lzip", "lzip -dk FILE")),
    (rb"\x04\x22\x4d\x18|\x02\x21\x4c\x18", _archive("packed by lz4", "lz4 -d FILE")),
    (rb"\x89LZO\x00\r\n", _archive("packed by lzop", "lzop -d FILE")),
    (rb"\xff\x06\x00\x00sNaPpY", _archive("packed by snappy", "snzip -dk FILE")),
    (rb"\x1f\x9d", _archive("packed by compress", "uncompress FILE")),
    (rb"\x1f\x8b\x08", _archive("packed by gzip", "gzip -dk FILE")),
    (rb"\x28\xb5\x2f\xfd", _archive("packed by zstd", "zstd -d FILE")),
    (rb"\xff\xfe\x00\x00|\x00\x00\xfe\xff", _text(UTF_32, "UTF-32")),
    (rb"\xff\xfe|\xfe\xff", _text(UTF_16, "UTF-16")),
    (rb"([\t\n\r -~]\x00{3}){2,8}\Z", _text(UTF_32, "UTF-32LE")),  # without a mark: so are texts that begin in ASCII
    (rb"(\x00{3}[\t\n\r -~]){2,8}\Z", _text(UTF_32, "UTF-32BE")),
    (rb"([\t\n\r -~]\x00){4,16}\Z", _text(UTF_16, "UTF-16LE")),
    (rb"(\x00[\t\n\r -~]){4,16}\Z", _text(UTF_16, "UTF-16BE")),
)
BEGINNING = 32  # bytes of a text that are to be so
PATTERNS = [
    (re.compile(pattern, re.DOTALL), kind, BEGINNING if pattern.endswith(rb"\Z") else HEADER) for pattern, kind in KINDS
]


def not_read(content: bytes) -> NotRead | None:
    """What some content is that is not read, by its beginning; None of what may be a log.

    It is that of a file as it is read: what gzip or Zstandard packed is unpacked, so they stand here for a second time.
    """
    found = next((kind for pattern, kind, size in PATTERNS if pattern.match(content[:size])), None)
    return found or (TAR if _is_tar(content[:HEADER]) else None)


def _is_tar(header: bytes) -> bool:
    """By its magic, or, for a tar older than that, by the sum of its header, the sum's own field taken as spaces."""
    if len(header) < HEADER or header[:1] == b"\0":
        return False
    if header[MAGIC] == b"ustar":
        return True
    said = OCTAL.fullmatch(header[CHECKSUM])
    return said is not None and int(said[1], 8) == sum(header) - sum(header[CHECKSUM]) + 8 * ord(" ")
