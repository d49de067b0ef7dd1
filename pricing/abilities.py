"""What a model can do, as far as the price list's data state it: its kind, and whether it takes tools or images.

genai-prices has no field for either. Its price keys show it (a model priced per audio hour, or for input only, writes
no text; one with a price for image input takes images), and so do the descriptions of some models. A price file
states both outright: `kind` and `takes`. Where no data say it, nothing is concluded.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Literal, get_args

from .rows import ModelKey
from .snapshot import model_info, price_keys

Kind = Literal["chat", "moderation", "embedding", "rerank", "speech", "image", "video", "document", "other"]
"""What a model's answers are: `chat` any text, `document` the text of pages, `other` none (a label, a score)."""
KINDS: tuple[str, ...] = get_args(Kind)
Ability = Literal["tools", "images"]

DESCRIBED: tuple[tuple[Kind, str], ...] = (
    ("moderation", r"moderation models?\b"),
    ("embedding", r"embeddings? model|text embedding"),
    ("image", r"image generation|for premium visual work|gpt image"),
    ("video", r"video generation"),
    ("speech", r"audio-to-audio|text-to-speech"),
)
SPOKEN = ("audio_hours", "input_audio_hours", "input_mchars")
TAKES: dict[Ability, str] = {
    "tools": r"tool[ -]?(use|call)|function[ -]calling",
    "images": r"multi-?modal|vision\b|visual|images?\b",
}
TEXT_ONLY = r"\bis a text-only model"


@cache
def listed_kind(key: ModelKey) -> Kind | None:
    """The kind that genai-prices' data show; None where they show none, as of most models that converse."""
    model = model_info(key)
    words = (model.description or "").lower() if model else ""
    described = next((kind for kind, pattern in DESCRIBED if re.search(pattern, words)), None)
    return described or _priced_kind(price_keys(key))


def _priced_kind(keys: frozenset[str]) -> Kind | None:
    """By what is charged: a model that writes text has a price for output tokens."""
    if not keys or "output_mtok" in keys:
        return None
    if any(name.endswith("document_kpages") for name in keys):
        return "document"
    return "speech" if any(name in keys for name in SPOKEN) else "other"


@cache
def listed_takes(key: ModelKey, ability: Ability) -> bool | None:
    """Whether genai-prices' data say that a model takes tools or images; None where they do not say."""
    model = model_info(key)
    words = (model.description or "").lower() if model else ""
    if ability == "images" and "input_image_mtok" in price_keys(key):
        return True
    if ability == "images" and re.search(TEXT_ONLY, words):
        return False
    return True if re.search(TAKES[ability], words) else None
