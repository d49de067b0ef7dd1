"""What makes two runs' verdicts the same one."""

from __future__ import annotations

import hashlib
from pathlib import PurePath

from ...analysis.verdicts import Verdict


def fingerprint(verdict: Verdict) -> str:
    """Kept when lines move and when the figures change: the rule, the file's name, the key and what was judged."""
    file = PurePath(verdict.file).name if verdict.file else ""
    parts = (verdict.rule, file, verdict.key or "", verdict.name)
    return hashlib.sha256("\0".join(parts).encode("utf-8", "replace")).hexdigest()[:32]
