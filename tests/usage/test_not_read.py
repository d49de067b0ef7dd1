"""Archives, packings and encodings that are not read: known by their bytes, so that no part of them is lines of a log."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
import zstandard
from costsim.errors import UsageLogError
from costsim.usage.load import load
from emptied import open_store

LOG = Path(__file__).parent.parent / "data" / "usage" / "claude-code" / "pd064254554.jsonl"
LINES = LOG.read_bytes()
Pack = Callable[[bytes], bytes]


def tar(format: int) -> Pack:
    def packed(content: bytes) -> bytes:
        out = io.BytesIO()
        with tarfile.open(fileobj=out, mode="w", format=format) as archive:
            for name in ("a.jsonl", "b.jsonl"):
                entry = tarfile.TarInfo(name)
                entry.size, entry.mtime = len(content), 1_791_200_000
                archive.addfile(entry, io.BytesIO(content))
        return out.getvalue()

    return packed


def tar_of_1979(content: bytes) -> bytes:
    """Without magic: the field is NUL, and the sum of the header is less by what stood there."""
    whole = bytearray(tar(tarfile.USTAR_FORMAT)(content))
    whole[257:265] = bytes(8)
    whole[148:156] = b"%06o\0 " % (sum(whole[:512]) - sum(whole[148:156]) + 8 * 32)
    return bytes(whole)


def zipped(content: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:  # stored, not compressed: its lines stand in it
        archive.writestr("a.jsonl", content)
    return out.getvalue()


def starting(magic: bytes) -> Pack:
    return lambda content: magic + content


PACKS: dict[str, tuple[Pack, str]] = {
    "ustar": (tar(tarfile.USTAR_FORMAT), "a tar archive: unpack it (tar -xf FILE)"),
    "GNU tar": (tar(tarfile.GNU_FORMAT), "a tar archive"),
    "pax": (tar(tarfile.PAX_FORMAT), "a tar archive"),
    "old tar": (tar_of_1979, "a tar archive"),
    "tgz": (lambda content: gzip.compress(tar(tarfile.GNU_FORMAT)(content)), "a tar archive, within gzip: unpack it"),
    "tar.zst": (
        lambda content: zstandard.compress(tar_of_1979(content)),
        "a tar archive, within zstd: unpack it (tar -xf FILE)",
    ),
    "zip": (zipped, "a zip archive: unpack it (unzip FILE)"),
    "7z": (starting(b"7z\xbc\xaf\x27\x1c\0\4"), "a 7z archive"),
    "rar": (starting(b"Rar!\x1a\7\1\0"), "a rar archive"),
    "cabinet": (starting(b"MSCF\0\0\0\0"), "a cabinet archive"),
    "ar": (starting(b"!<arch>\nb.jsonl/        0           0     0     644     623       `\n"), "an ar archive"),
    "cpio": (starting(b"070701" + b"0" * 94 + b"0000000A" + b"0" * 2 + b"b.jsonl\0"), "a cpio archive"),
    "old cpio": (starting(b"070707" + b"0" * 70 + b"b.jsonl\0"), "a cpio archive"),
    "xz": (lzma.compress, "packed by xz: unpack it (xz -dk FILE)"),
    "lzma": (lambda content: lzma.compress(content, lzma.FORMAT_ALONE), "packed by xz"),
    "bzip2": (bz2.compress, "packed by bzip2"),
    "lz4": (starting(b"\x04\x22\x4d\x18"), "packed by lz4"),
    "twice": (lambda content: gzip.compress(gzip.compress(content)), "packed by gzip, within gzip"),
    "UTF-16 with a mark": (
        lambda content: content.decode().encode("utf-16"),
        "a text in UTF-16: save it as UTF-8 (iconv -f UTF-16 -t UTF-8)",
    ),
    "UTF-16LE": (lambda content: content.decode().encode("utf-16-le"), "(iconv -f UTF-16LE -t UTF-8)"),
    "UTF-16BE": (lambda content: content.decode().encode("utf-16-be"), "a text in UTF-16: save it as UTF-8 (iconv"),
    "UTF-32LE": (lambda content: content.decode().encode("utf-32-le"), "a text in UTF-32: save it as UTF-8 (iconv"),
    "UTF-32BE": (lambda content: content.decode().encode("utf-32-be"), "(iconv -f UTF-32BE -t UTF-8)"),
    "UTF-16 in gzip": (
        lambda content: gzip.compress(content.decode().encode("utf-16-le")),
        "a text in UTF-16, within gzip: save it",
    ),
}


@pytest.mark.parametrize("kind", PACKS)
@pytest.mark.parametrize("format", [None, "claude-code"], ids=["by its content", "said to be a log"])
def test_what_is_no_text_is_refused_with_the_way_out(tmp_path: Path, kind: str, format: str | None) -> None:
    pack, said = PACKS[kind]
    (tmp_path / "log.jsonl").write_bytes(pack(LINES))
    with open_store(Path(":memory:")) as store, pytest.raises(UsageLogError) as refused:
        load(store, [tmp_path / "log.jsonl"], format=format)
    assert said in str(refused.value)
    assert "\n" not in str(refused.value)


def test_in_a_folder_it_is_passed_over(tmp_path: Path) -> None:
    """Whatever its name is, and none of its lines counts."""
    for number, (pack, _) in enumerate(PACKS.values()):
        for ending in ("jsonl", "log"):
            (tmp_path / f"{number}.{ending}").write_bytes(pack(LINES))
    with open_store(Path(":memory:")) as store:
        report = load(store, [tmp_path])
    assert report.calls == 0
    assert report.files == []
    kinds = {"an archive", "an archive, packed", "text in UTF-16", "text in UTF-16, packed", "text in UTF-32"}
    assert {*report.passed_over.values()} == kinds
    assert len(report.passed_over) == 2 * len(PACKS)


@pytest.mark.parametrize("nothing", [b"", b"\n \r\n"], ids=["no byte", "line ends"])
@pytest.mark.parametrize("pack", [bytes, gzip.compress, zstandard.compress], ids=["plain", "gzip", "zstd"])
def test_a_file_of_nothing_is_empty_packed_or_not(tmp_path: Path, pack: Pack, nothing: bytes) -> None:
    (tmp_path / "log.jsonl").write_bytes(pack(nothing))
    with open_store(Path(":memory:")) as store:
        for format in (None, "claude-code"):
            report = load(store, [tmp_path / "log.jsonl"], format=format)
            assert {*report.passed_over.values()} == {"empty"}
            assert report.files == []
