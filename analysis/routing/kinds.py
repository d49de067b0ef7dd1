"""What a model is for: a moderation or embedding model cannot take over a conversation.

The price list's data decide where they say it, else the model's name.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ...pricing.abilities import Ability, Kind

if TYPE_CHECKING:
    from ...pricing.book import PriceBook

NAMES: tuple[tuple[Kind, str], ...] = (
    ("moderation", r"moderation|guard|shield|content-safety"),
    ("rerank", r"rerank"),
    ("embedding", r"embed|(?<![a-z])(bge|e5|gte)-|(?<![a-z])voyage-"),
    ("speech", r"whisper|transcrib|(?<![a-z])tts|speech|realtime|audio"),
    ("image", r"dall-?e|imagen|image|diffusion"),
    ("document", r"(?<![a-z])ocr"),
)


def model_kind(model: str, book: PriceBook | None = None) -> Kind:
    """The kind that the book's data state, else the model's name; chat where neither says anything.

    Data that only show that no text is answered (`other`) leave it to the name what else it is.
    """
    key = book.resolve(model) if book else None
    stated = book.kind(key) if book and key else None
    if stated and stated != "other":
        return stated
    name = model.lower().rpartition("/")[2]
    return next((kind for kind, words in NAMES if re.search(words, name)), stated or "chat")


def can_replace(model: str, own: str, book: PriceBook | None = None) -> bool:
    """Whether a model can do what another one does: the same kind of work, or moderation by a chat model."""
    kind, needed = model_kind(model, book), model_kind(own, book)
    return kind == needed or (kind, needed) == ("chat", "moderation")


def takes(model: str, ability: Ability, book: PriceBook) -> bool | None:
    """Whether a model takes tools or images; None where nothing says it. One that does not converse takes neither."""
    key = book.resolve(model)
    stated = book.takes(key, ability) if key else None
    return stated if model_kind(model, book) == "chat" else bool(stated and ability == "images")
