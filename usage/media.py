"""Audio and images taken out of the figures that they stand in: from what a reader yields to disjoint classes.

A reader that knows of audio or images yields `input`, `cache_read` and `output` with them inside, and beside these how
many are (PARTS). Where a source does not say which of them were cached, text was first: as many as fit are uncached.
What a source states beyond the figure that it is part of is in no class: it is counted in `media_beyond` (signs.sql).
"""

from __future__ import annotations

from collections.abc import Collection

AUDIO_IN, IMAGE_IN = "audio_in", "image_in"
AUDIO_READ, IMAGE_READ = "audio_read", "image_read"
AUDIO_OUT, IMAGE_OUT = "audio_out", "image_out"
PARTS = (AUDIO_IN, IMAGE_IN, AUDIO_READ, IMAGE_READ, AUDIO_OUT, IMAGE_OUT)
"""Tokens of a medium: of all that was sent, cached or not; of what was read from the cache; of what was answered."""

WHOLE = ("input", "cache_read", "output")
"""The figures that they are part of."""

DIVIDED = ("input_audio", "input_image", "cache_read_audio", "cache_read_image", "output_audio", "output_image")
BEYOND = "media_beyond"


def divided(entry: str, given: Collection[str]) -> str:
    """SQL of a reader's entries with audio and images in classes of their own; `given` are its columns.

    A part that is no count (below zero) makes its class so too, and with it the entry a reject.
    """
    kept = ", ".join(f'"{name}"' for name in given if name not in (*PARTS, *WHOLE))
    return f"""
        WITH stated AS (
            SELECT {kept}, {", ".join(_stated(name, given) for name in (*WHOLE, *PARTS))}
            FROM ({entry})
        ),
        -- no more than the figure that they are part of
        bounded AS (
            SELECT *, least({", ".join(PARTS)}) < 0 AS unreadable,
                greatest(input, 0) + greatest(cache_read, 0) AS sent, greatest(output, 0) AS answered,
                least(greatest(audio_in, audio_read), sent) AS audio,
                least(greatest(image_in, image_read), sent - audio) AS image,
                least(audio_out, answered) AS output_audio,
                least(image_out, answered - output_audio) AS output_image,
                least(audio_read, audio, greatest(cache_read, 0)) AS known_audio,
                least(image_read, image, greatest(cache_read, 0) - known_audio) AS known_image,
                -- what does not fit into the uncached input was read from the cache
                greatest(audio - known_audio + image - known_image - greatest(input, 0), 0) AS more_read
            FROM stated
        ),
        placed AS (
            SELECT *, known_audio + least(more_read, audio - known_audio) AS cache_read_audio,
                known_image + more_read - least(more_read, audio - known_audio) AS cache_read_image,
                audio - cache_read_audio AS input_audio, image - cache_read_image AS input_image
            FROM bounded
        )
        SELECT {kept},
            CASE WHEN unreadable THEN -1 ELSE input - input_audio - input_image END AS input,
            cache_read - cache_read_audio - cache_read_image AS cache_read,
            output - output_audio - output_image AS output,
            {", ".join(DIVIDED)},
            greatest(audio_in, audio_read) + greatest(image_in, image_read) - audio - image
                + audio_out + image_out - output_audio - output_image AS {BEYOND}
        FROM placed
    """  # noqa: S608 (names of ours)


def _stated(name: str, given: Collection[str]) -> str:
    return f"coalesce({name}, 0)::HUGEINT AS {name}" if name in given else f"0::HUGEINT AS {name}"
