"""What a model is for, by its name: a moderation or embedding model cannot take over a conversation."""

from __future__ import annotations

import re
from typing import Literal

Kind = Literal["chat", "moderation", "embedding", "rerank", "speech", "image"]

NAMES: tuple[tuple[Kind, str], ...] = (
    ("moderation", r"moderation|guard|shield"),
    ("embedding", r"embed|(?<![a-z])(bge|e5|gte)-"),
    ("rerank", r"rerank"),
    ("speech", r"whisper|transcrib|(?<![a-z])tts|speech|realtime|audio"),
    ("image", r"dall-?e|imagen|image|diffusion"),
)


def model_kind(model: str) -> Kind:
    """The kind that the model's name says; chat where it says nothing."""
    name = model.lower().rpartition("/")[2]
    return next((kind for kind, words in NAMES if re.search(words, name)), "chat")


def can_replace(model: str, own: str) -> bool:
    """Whether a model can do what another one does: the same kind of work, or moderation by a chat model."""
    kind, needed = model_kind(model), model_kind(own)
    return kind == needed or (kind, needed) == ("chat", "moderation")
