"""What makes two runs' findings the same one."""

from __future__ import annotations

import hashlib

from ...analysis.findings import Finding


def fingerprint(finding: Finding) -> str:
    """Kept when lines move: the rule, the file's name, the key and what was judged, whose figures may change.

    A finding without a name is known by its message.
    """
    file = finding.file.name if finding.file else ""
    parts = (finding.rule, file, finding.key or "", finding.name or finding.message)
    return hashlib.sha256("\0".join(parts).encode("utf-8", "replace")).hexdigest()[:32]
