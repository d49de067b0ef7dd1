"""What sources call one model, and who bills it: the names by which calls and bills are compared.

A price depends on the exact model; whether two sources mean the same does not depend on how they write it. So dates,
versions, regions and vendors' prefixes are left out here: `claude-sonnet-4-5`, `claude-sonnet-4-5-20250929`,
`us.anthropic.claude-sonnet-4-5-20250929-v1:0` and a bill's `Claude Sonnet 4.5` are one name. Nothing is priced by it.

The *biller* is whose bill has the calls: Azure's for a model of OpenAI that Azure serves, GitHub's for Copilot.
"""

from __future__ import annotations

import re
from functools import cache, lru_cache, partial
from typing import TYPE_CHECKING

from ...pricing.kept import kept
from ...pricing.matching import GATEWAYS, canonical, provider_id
from ...pricing.snapshot import keys

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

NAMES = "SELECT DISTINCT provider, model FROM {relation}"
KNOWN_NAME = """
CREATE OR REPLACE TEMP TABLE known_name AS
SELECT unnest($1::VARCHAR[]) AS provider_ref, unnest($2::VARCHAR[]) AS model_ref, unnest($3::VARCHAR[]) AS provider,
    unnest($4::VARCHAR[]) AS model, unnest($5::VARCHAR[]) AS biller, unnest($6::VARCHAR[]) AS called
"""
KNOWN_AS = """LEFT JOIN known_name AS known
    ON known.provider_ref IS NOT DISTINCT FROM {0}.provider AND known.model_ref IS NOT DISTINCT FROM {0}.model"""
"""SQL that joins the relation `{0}` with `known_name`, as `known`."""
SOLD_BY = {"copilot": "github", "copilot-store": "github", "cursor": "cursor", "cursor-events": "cursor"}
"""Sources whose tool bills its calls itself, whoever made the model."""
BILLER = (
    "CASE {0}.source "
    + " ".join(f"WHEN '{source}' THEN '{biller}'" for source, biller in SOLD_BY.items())
    + " ELSE known.biller END"
)
"""SQL of the biller of a row of the relation `{0}`, joined with `known_name` as `known`."""

_GITHUB = ("github", "github-copilot", "github_copilot", "copilot")
_REGION = re.compile(r"^(?:regional|global|us-gov|us|eu|apac|ap|jp|au|ca|sa)\.")
_VENDOR = re.compile(r"^(?:anthropic|amazon|meta|mistral|cohere|deepseek|ai21|qwen|openai)\.")
_VERSION = re.compile(r"(?<=\d)(-[a-z]*)?-v\d+(:\d+[a-z]*)?$")
_DATED = re.compile(r"-(?:\d{8}|\d{4}-\d{2}-\d{2})$")
_CLAUDE = re.compile(r"^claude-?(\d+(?:[.-]\d+)?)-?(opus|sonnet|haiku)(?=$|-)")
_GPT = re.compile(r"^gpt(?=\d)")
_MONTH_DAY = re.compile(r"-\d{4}$")
_LAST_VERSION = re.compile(r"(?:-v\d+)?(?::\d+)?$|-\d:\d$")
_ZERO = re.compile(r"(\d)\.0(?!\d)")
_LEADING = re.compile(r"^(?:auto|vertex ai|amazon bedrock|azure openai)\s*[:-]\s*")


def name_models(connection: DuckDBPyConnection, relation: str) -> None:
    """Fill `known_name`: who made, what is called and who bills each provider and model of a table.

    A model is NULL where the price lists do not know it, and `called` as it is written then, '' where it has no name.
    """
    pairs = connection.execute(NAMES.format(relation=relation)).fetchall()
    found = [(*known(provider, model), called(provider, model)) for provider, model in pairs]
    columns = [[row[n] for row in pairs] for n in (0, 1)] + [[row[n] for row in found] for n in range(4)]
    connection.execute(KNOWN_NAME, columns)


@lru_cache(4096)
def known(provider: str | None, model: str | None) -> tuple[str | None, str | None, str | None]:
    """The provider by the price lists, the model's plain name, and the biller."""
    key = canonical(model, provider) if model else None
    biller = _biller(provider, model)
    if key:
        return key.provider, plain(key.model), biller or key.provider
    spoken = _spoken(model, provider) if model else None
    return biller, spoken, biller


def called(provider: str | None, model: str | None) -> str:
    """The model's plain name; of one that no price list knows, the name as written, without who is said to serve it:
    `fast-1` of `acme/fast-1` and of `fast-1` at `acme`."""
    owner, spoken, _ = known(provider, model)
    if spoken:
        return spoken
    head, rest = _served(model)
    return rest if not head or owner == _named(head) else (model or "").strip().lower()


def _biller(provider: str | None, model: str | None) -> str | None:
    """Who is said to serve the model, known to the price lists or not; None where nothing says it."""
    said = provider.strip().lower() if provider else ""
    if not said or said in GATEWAYS:
        said = _served(model)[0]
    return _named(said) if said else None


def _served(model: str | None) -> tuple[str, str]:
    """Who serves a model by its name, and what follows; '' where the name does not say it."""
    head, _, rest = (model or "").strip().lower().partition("/")
    if head in GATEWAYS:
        head, _, rest = rest.partition("/")
    return (head, rest) if rest else ("", head)


def _named(said: str) -> str:
    return "github" if said in _GITHUB else provider_id(said) or said


def plain(model: str) -> str:
    """A name without vendor, region, date and version: `claude-x` of `anthropic.claude-x-20250101-v1:0`."""
    name = model.strip().lower().rpartition("/")[2].partition("@")[0]
    name = _VERSION.sub(r"\1", _VENDOR.sub("", _REGION.sub("", name)))
    return _DATED.sub("", name)


@lru_cache(4096)
def _spoken(model: str, provider: str | None) -> str | None:
    """The plain name of a model as bills write it: `Claude Sonnet 4.5 (Amazon Bedrock Edition)`, `Claude4.5Sonnet`.

    None where the price lists know no such model.
    """
    words = _LEADING.sub("", model.strip().lower().partition("(")[0].strip())
    name = _GPT.sub("gpt-", re.sub(r"[^a-z0-9./:@]+", "-", plain(words)).strip("-"))
    claude = _CLAUDE.match(name)
    tries = [name, _MONTH_DAY.sub("", name), f"{name}-preview"]
    if claude:
        version = claude[1].replace(".", "-")
        tries = [f"claude-{claude[2]}-{version}", f"claude-{version}-{claude[2]}"]
        tries = tries[::-1] if version[0] == "3" else tries  # as each is called by its maker
    elif name.startswith("claude"):
        tries = [name.replace(".", "-")]
    owner = _biller(provider, None)
    for find in (partial(_of, owner=provider), partial(_run_together, owner=owner), partial(_of, owner=None)):
        found = next(filter(None, map(find, filter(None, tries))), None)
        if found:
            return found
    return None


def _of(text: str, owner: str | None) -> str | None:
    key = canonical(text, owner)
    return plain(key.model) if key else None


def _run_together(text: str, owner: str | None) -> str | None:
    """The plain name of the owner's model whose letters and digits are these: `NovaLite`, `Llama 3.3 70B`."""
    asked = _letters(text)
    name: str | None = kept("letters", (owner, asked), lambda: _by_letters(owner).get(asked), lambda n: n, lambda n: n)
    return name


@cache
def _by_letters(owner: str | None) -> dict[str, str]:
    """Plain names by their letters and digits, those that two models share left out."""
    found: dict[str, set[str]] = {}
    for name in (key.model for key in keys() if key.provider == owner):
        located = _REGION.sub("", name.lower())
        for spoken in (part for text in (located, plain(name)) for part in (text, *_unversioned(text))):
            found.setdefault(_letters(spoken), set()).add(plain(name))
    return {letters: min(names) for letters, names in found.items() if len(names) == 1}


def _unversioned(text: str) -> tuple[str, str]:
    return text.partition(":")[0], _LAST_VERSION.sub("", text)


def _letters(text: str) -> str:
    said = _ZERO.sub(r"\1", text.lower()).replace("embedding", "embed")
    return re.sub("instruct|text|[^a-z0-9]", "", said)
