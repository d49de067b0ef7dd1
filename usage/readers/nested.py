"""SQL for JSON within JSON: lists to unnest, text that holds JSON, the first of several names that is there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ..aliases import API_MEDIA, GEMINI_LISTS, GEMINI_MEDIA
from ..reader import STATED_BY_OTHERS
from .counts import count_in_text


def items(value: str, quoted: bool = False) -> str:
    """SQL for the list of JSON that the SQL expression `value` (JSON), or column, is; NULL where it is no list."""
    value = f'"{value}"' if quoted else value
    return f"""CASE WHEN json_type({value}) = 'ARRAY' THEN from_json({value}, '["JSON"]') END"""


def members(value: str) -> str:
    """SQL for the list of the members of a JSON object, each its name and its value ([1] and [2]), in one pass.

    To unnest names only, and look each one up in the object, takes the square of their number, in memory too.
    """
    return f"list_zip(json_keys({value}), json_extract({value}, '$.*'))"


def parsed(value: str) -> str:
    """SQL for a JSON value that some exports hold as text."""
    text = f"coalesce(TRY_CAST({value} ->> '$' AS JSON), {value})"
    return f"CASE json_type({value}) WHEN 'VARCHAR' THEN {text} ELSE {value} END"


def text(holder: str, *paths: str) -> str:
    """SQL for the first of these paths that `holder` (JSON) has a text at, but an empty one."""
    found = ", ".join(f"nullif({holder} ->> '{_path(path)}', '')" for path in paths)
    return f"coalesce({found})" if len(paths) > 1 else found


def count(holder: str, *paths: str) -> str:
    """SQL for the whole number at the first of these paths; 0 where there is none, -1 where it is no number."""
    return count_in_text(text(holder, *paths))


ANY_MEDIA = r'(audio|image)\w*"\s*:\s*[^0n\s]'
"""A key of audio or images with a count other than 0: most usages have none, and are looked at no further."""
MEDIA_WORDS = ("audio", "image")
ANY_MODALITY = r'(?i)AUDIO|IMAGE|modality"\s*:\s*"?[24]'


def media(holder: str, names: Mapping[str, Sequence[str]] = API_MEDIA, listed: str = "stated_media") -> str:
    """SQL for the columns of audio and images (PARTS of media.py) that `holder` (JSON) states under these names.

    `listed` is the name of one more column, of what stands under each name.
    """
    return f"{media_counts(holder, names)} AS {listed}, {media_parts(names, listed)}"


def media_counts(
    holder: str, names: Mapping[str, Sequence[str]], any_media: str = ANY_MEDIA, words: Sequence[str] = MEDIA_WORDS
) -> str:
    """SQL for the list of the counts under each of these names; NULL where there are none.

    `any_media` is a pattern of what has some. To look for the `words` of which it has one takes a tenth of its time.
    """
    paths = ", ".join(f"'{_path(path)}'" for listed in names.values() for path in listed)
    counts = f"list_transform(json_extract_string({holder}, [{paths}]), lambda t: {count_in_text('t')})"
    some = " OR ".join(f"contains(({holder})::VARCHAR, '{word}')" for word in words)
    return f"CASE WHEN ({some}) AND regexp_matches(({holder})::VARCHAR, '{any_media}') THEN {counts} END"


def media_parts(names: Mapping[str, Sequence[str]], listed: str) -> str:
    """SQL for a column of each part: the largest of its counts in the list `listed`; -1 where one is no number."""
    columns, start = [], 1
    for part, paths in names.items():
        own = f"{listed}[{start}:{start + len(paths) - 1}]"
        columns.append(
            f"CASE WHEN {listed} IS NULL THEN 0 WHEN list_min({own}) < 0 THEN -1 ELSE list_max({own}) END AS {part}"
        )
        start += len(paths)
    return ", ".join(columns)


def by_modality(holder: str) -> str:
    """SQL for the columns of audio and images that `holder` (JSON), a usage of Gemini's API, states in its lists."""
    some = f"regexp_matches(({holder})::VARCHAR, '{ANY_MODALITY}')"
    return ", ".join(
        f"CASE WHEN {some} THEN {_modality(holder, lists, modalities)} ELSE 0 END AS {medium}_{side}"
        for side, lists in GEMINI_LISTS.items()
        for medium, modalities in GEMINI_MEDIA.items()
    )


def _modality(holder: str, lists: Sequence[str], modalities: Sequence[str]) -> str:
    """The sum of a modality's counts in lists of a usage; -1 where one is no number."""
    each = ", ".join(f"coalesce({items(at)}, [])" for at in (f"({holder} -> '$.{name}')" for name in lists))
    wanted = ", ".join(f"'{modality}'" for modality in modalities)
    found = f"""list_transform(
        list_filter(list_concat({each}), lambda part: upper(part ->> '$.modality') IN ({wanted})),
        lambda part: {count_in_text("coalesce(part ->> '$.tokenCount', part ->> '$.token_count')")})"""
    return f"CASE WHEN list_min({found}) < 0 THEN -1 ELSE coalesce(list_sum({found}), 0)::HUGEINT END"


def has(holder: str, *paths: str) -> str:
    """SQL for whether one of these paths is there."""
    return f"{text(holder, *paths)} IS NOT NULL"


@dataclass(frozen=True)
class JsonTexts:
    """The texts at some paths of a JSON value, as the list `name`: one by one, each would parse the value again."""

    name: str
    paths: tuple[str, ...]

    def listed(self, holder: str) -> str:
        """SQL for the column `name`, of `holder` (JSON)."""
        paths = ", ".join(f"'{_path(path)}'" for path in self.paths)
        return f"json_extract_string({holder}, [{paths}]) AS {self.name}"

    def text(self, *paths: str) -> str:
        """SQL for the first text at one of these paths, but an empty one."""
        found = ", ".join(f"nullif({self.at(path)}, '')" for path in paths)
        return f"coalesce({found})" if len(paths) > 1 else found

    def at(self, path: str) -> str:
        """SQL for the text at a path, be it empty."""
        return f"{self.name}[{self.paths.index(path) + 1}]"

    def count(self, path: str) -> str:
        """SQL for the whole number at a path; 0 where there is none, -1 where it is no number."""
        return count_in_text(self.text(path))


def less(whole: str, *parts: str) -> str:
    """SQL for what is left of a sum without its parts; -1, unreadable, stays."""
    return f"CASE WHEN least({', '.join((whole, *parts))}) < 0 THEN -1 ELSE {' - '.join((whole, *parts))} END"


def uncached(whole: str, outputs: str, total: str, *parts: str) -> str:
    """SQL for an input without its cached parts; -1, unreadable, stays.

    They stand beside it where they do not fit into it, or where the total of all is the sum with them.
    """
    kept = " + ".join(parts)
    return f"""CASE WHEN least({", ".join((whole, outputs, total, *parts))}) < 0 THEN -1
        WHEN {kept} > {whole} OR ({kept} > 0 AND {total} = {whole} + {outputs} + {kept}) THEN {whole}
        ELSE {whole} - ({kept}) END"""


def written_5m(total: str, short: str, long: str) -> str:
    """SQL for five-minute cache writes: distinguished, or what the total has beyond one-hour ones."""
    return f"CASE WHEN least({total}, {short}, {long}) < 0 THEN -1 ELSE greatest({short}, {total} - {long}) END"


def priced(usd: str, tokens: str = "1") -> str:
    """SQL for a recorded cost that is none where it is 0: a tool that knows no price writes 0.

    `tokens` is SQL for a call's tokens where it is known that all are counted: of none, 0 is the cost.
    """
    return f"CASE WHEN TRY_CAST({usd} AS DOUBLE) = 0 AND {tokens} > 0 THEN NULL ELSE {usd} END"


def above(calls: str, scope: str, own: str, parent: str) -> str:
    """A recursive CTE `above` (scope, own): whatever stands above one of the rows of `calls` that has `has_usage`.

    Such a span, run or call repeats the sum of those below it. Ids that are all the same (blotted out) are no ids.
    """
    return f"""above AS (
    SELECT {scope}, {parent} AS {own} FROM {calls} WHERE has_usage AND {parent} <> {own}
    UNION
    SELECT {calls}.{scope}, {calls}.{parent} FROM above JOIN {calls} USING ({scope}, {own})
    WHERE {calls}.{parent} IS NOT NULL
)"""  # noqa: S608 (names)


def with_above(calls: str, scope: str, own: str) -> str:
    """The rows of `calls`, and `is_above` of those that stand above others."""
    marked = f"SELECT DISTINCT {scope}, {own}, TRUE AS is_above FROM above"  # noqa: S608 (names)
    return f"{calls} LEFT JOIN ({marked}) USING ({scope}, {own})"


def outside(calls: str, own: str, parent: str, *scope: str) -> str:
    """CTEs that yield `outside` (mark, outside): of those of `calls` whose way up leads out of their file, the first
    that is not in it. `parent` is '' or NULL where nothing is above. For `with_outside`; ids are compared by marks."""
    return f"""led_up AS MATERIALIZED (
    SELECT {_mark(own, *scope)} AS mark, {_mark(parent, *scope)} AS parent_mark, {parent} AS outside FROM {calls}
    WHERE {parent} <> '' AND {parent} <> {own}
),
outside AS (
    SELECT mark, outside FROM led_up ANTI JOIN (SELECT {_mark(own, *scope)} AS mark FROM {calls}) AS own
        ON own.mark = led_up.parent_mark
    UNION
    SELECT led_up.mark, one.outside FROM outside AS one JOIN led_up ON led_up.parent_mark = one.mark
)"""  # noqa: S608 (names)


def with_outside(calls: str, own: str, *scope: str) -> str:
    """The rows of `calls`, and what stands `outside` of their file above them."""
    first = "SELECT mark, min(outside) AS outside FROM outside GROUP BY mark"
    return f"{calls} LEFT JOIN ({first}) AS up_there ON up_there.mark = {_mark(own, *scope)}"


def _mark(id: str, *scope: str) -> str:
    return f"hash({', '.join(('file_id', *scope, id))})"


IS_ABOVE = f"WHEN is_above THEN '{STATED_BY_OTHERS}'"
"""SQL for the fault of a span that repeats those below it; it counted where these were exported later."""


def _path(path: str) -> str:
    if path.startswith("$"):
        return f'$."{path}"'
    return "$" + path if path.startswith("[") else "$." + path


def labels(value: str) -> str:
    """SQL for the texts in the JSON list `value`; NULL where it is no list."""
    return f"list_transform({items(value)}, lambda label: label ->> '$')"


def tags_of(texts: str) -> str:
    """SQL for the tags (JSON) that a list of labels says: `env:prod` or `env=prod`; one without a value is `true`."""
    key = "to_json(regexp_extract(label, '^[^:=]*'))::VARCHAR"
    value = "CASE WHEN regexp_matches(label, '[:=]') THEN regexp_replace(label, '^[^:=]*[:=]', '') ELSE 'true' END"
    pairs = f"""list_transform(list_filter({texts}, lambda label: label IS NOT NULL),
        lambda label: {key} || ':' || to_json({value})::VARCHAR)"""
    return f"""coalesce(('{{' || array_to_string({pairs}, ',') || '}}')::JSON, '{{}}'::JSON)"""
