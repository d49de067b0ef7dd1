"""A bad price book is one line that names the file, the line and the key, and says how to fix it."""

from __future__ import annotations

import json
from pathlib import Path
from time import process_time

import pytest
from costsim.errors import PriceBookError
from costsim.pricing.book import open_book

HEAD = "book: ours\nsource: our contract\n"
MODEL = HEAD + "models:\n  - model: acme/one\n"

BAD_BOOKS = {
    "unknown key": (
        MODEL + "    usd_per_mtok: {inptu: 1}\n",
        "prices.yaml:5 models[0].usd_per_mtok.inptu: unknown key 'inptu'; did you mean 'input'?",
    ),
    "unknown class": (
        MODEL + "    usd_per_mtok: {reasoning: 1}\n",
        "prices.yaml:5 models[0].usd_per_mtok.reasoning: unknown key 'reasoning'; known here: cache_read",
    ),
    "a request is not priced per million": (
        MODEL + "    usd_per_thousand: {requests: 1}\n",
        "models[0].usd_per_thousand.requests: unknown key 'requests'; did you mean 'request'?",
    ),
    "negative price": (
        MODEL + "    usd_per_mtok: {input: -1}\n",
        "prices.yaml:5 models[0].usd_per_mtok.input: this should be greater than or equal to 0 (it is -1)",
    ),
    "not a number": (
        MODEL + "    usd_per_mtok: {input: .nan}\n",
        "prices.yaml:5 models[0].usd_per_mtok.input: this should be a finite number",
    ),
    "a price per token taken for one per million": (
        MODEL + "    usd_per_mtok: {input: 1000001}\n",
        "models[0].usd_per_mtok.input: this should be less than or equal to 1000000",
    ),
    "more digits than the tables hold": (
        MODEL + "    usd_per_mtok: {input: '0.1234567890123456789'}\n",
        "models[0].usd_per_mtok.input: decimal input should have no more than 18 decimal places",
    ),
    "dates reversed": (
        MODEL + "    usd_per_mtok: {input: 1}\n    valid_from: 2026-05-02\n    valid_to: 2026-05-01\n",
        "prices.yaml:4 models[0]: valid_to 2026-05-01 is not after valid_from 2026-05-02",
    ),
    "not a date": (
        MODEL + "    usd_per_mtok: {input: 1}\n    valid_from: soon\n",
        "prices.yaml:6 models[0].valid_from: this is not a date; write it as 2026-12-31 (it is 'soon')",
    ),
    "a number is no date": (
        MODEL + "    usd_per_mtok: {input: 1}\n    valid_from: 20260501\n",
        "models[0].valid_from: this is not a date; write it as 2026-12-31 (it is 20260501)",
    ),
    "priced twice": (
        MODEL + "    usd_per_mtok: {input: 1}\n  - model: ACME/One\n    usd_per_mtok: {input: 2}\n",
        "prices.yaml:6 models[1]: 'ACME/One' is priced twice for the same time; end one with valid_to",
    ),
    "priced twice by two names of one model": (
        HEAD + "models:\n"
        "  - {model: openai/gpt-4o, usd_per_mtok: {input: 1}}\n"
        "  - {model: gpt-4o-2024-08-06, usd_per_mtok: {input: 2}}\n",
        "prices.yaml:5 models[1]: 'gpt-4o-2024-08-06' is priced twice",
    ),
    "priced twice between two others": (
        HEAD + "models:\n"
        "  - {model: acme/one, usd_per_mtok: {input: 1}, valid_from: 2026-07-01}\n"
        "  - {model: acme/one, usd_per_mtok: {input: 1}, valid_to: 2026-03-01}\n"
        "  - {model: acme/one, usd_per_mtok: {input: 1}, valid_from: 2026-03-01, valid_to: 2026-07-02}\n",
        "prices.yaml:6 models[2]: 'acme/one' is priced twice for the same time",
    ),
    "two tiers from one size": (
        MODEL + "    tiers:\n"
        "      - {min_input_tokens: 200000, usd_per_mtok: {input: 1}}\n"
        "      - {min_input_tokens: 200000, usd_per_mtok: {input: 2}}\n",
        "prices.yaml:5 models[0].tiers: 'acme/one' has two tiers from 200,000 tokens",
    ),
    "no price": (MODEL, "prices.yaml:4 models[0]: 'acme/one' has no price; give usd_per_mtok"),
    "unknown processing": (
        MODEL + "    processing: bulk\n    usd_per_mtok: {input: 1}\n",
        "prices.yaml:5 models[0].processing: this should be 'standard', 'batch', 'flex', 'priority' or 'fast'",
    ),
    "multiplier of an unknown model": (
        HEAD + "multipliers:\n  - {model: anthropic/claude-hauki-4-5, multiplier: 1.1, reason: EU}\n",
        "prices.yaml:4 multipliers[0].model: no layer beneath prices 'anthropic/claude-hauki-4-5'; "
        "did you mean 'anthropic/claude-haiku-4-5'?",
    ),
    "multiplier of an unknown provider": (
        HEAD + "multipliers:\n  - {provider: antropic, multiplier: 1.1, reason: EU}\n",
        "prices.yaml:4 multipliers[0].provider: no layer beneath has models of 'antropic'; did you mean 'anthropic'?",
    ),
    "multiplier of an unknown class": (
        HEAD + "multipliers:\n  - {provider: anthropic, multiplier: 1.1, reason: EU, classes: [cached]}\n",
        "prices.yaml:4 multipliers[0].classes[0]: this should be 'input', 'input_audio'",
    ),
    "prices of a pattern": (
        HEAD + "models:\n  - {model: openai/*, usd_per_mtok: {input: 1}}\n",
        "prices.yaml:4 models[0].model: 'openai/*' is no model's name, and names are no patterns here; list each model",
    ),
    "subscription of a pattern": (
        HEAD + "subscriptions:\n  - {name: Max, usd_per_month: 200, models: [claude-*]}\n",
        "prices.yaml:4 subscriptions[0].models[0]: 'claude-*' is no model's name",
    ),
    "region of a pattern": (
        HEAD + "regions:\n  - {region: eu, source: contract, multiplier: 1.1, models: ['*']}\n",
        "prices.yaml:4 regions[0].models[0]: '*' is no model's name",
    ),
    "multiplier of a pattern": (
        HEAD + "multipliers:\n  - {model: claude-*, multiplier: 1.1, reason: EU}\n",
        "prices.yaml:4 multipliers[0].model: no layer beneath prices 'claude-*'",
    ),
    "multiplier of no model": (
        HEAD + "multipliers:\n  - {model: '', multiplier: 1.1, reason: EU}\n",
        "prices.yaml:4 multipliers[0].model: string should have at least 1 character",
    ),
    "multiplier of no provider": (
        HEAD + "multipliers:\n  - {provider: '', multiplier: 1.1, reason: EU}\n",
        "prices.yaml:4 multipliers[0].provider: string should have at least 1 character",
    ),
    "multiplier with two targets": (
        HEAD + "multipliers:\n  - {provider: a, model: openai/gpt-4o, multiplier: 1.1, reason: EU}\n",
        "prices.yaml:4 multipliers[0]: give either model or provider, not both",
    ),
    "multiplier without a reason": (
        HEAD + "multipliers:\n  - {provider: anthropic, multiplier: 1.1}\n",
        "prices.yaml:4 multipliers[0].reason: the key 'reason' is missing",
    ),
    "not YAML": (HEAD + "models: [\n", "prices.yaml:4: this is not YAML"),
    "no mapping": ("- a\n", "prices.yaml:1: the file must be a mapping of keys to values"),
    "no name": ("models: []\n", "prices.yaml:1 book: the key 'book' is missing"),
    "empty": ("", "prices.yaml: the file is empty"),
}


@pytest.mark.parametrize("case", BAD_BOOKS)
def test_a_bad_book_is_one_line_that_says_where(tmp_path: Path, case: str) -> None:
    text, message = BAD_BOOKS[case]
    file = tmp_path / "prices.yaml"
    file.write_text(text, "utf-8")
    with pytest.raises(PriceBookError) as caught:
        open_book("list", [file])
    assert message in str(caught.value)
    assert str(file) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_missing_overlay_is_named(tmp_path: Path) -> None:
    with pytest.raises(PriceBookError, match=r"gone\.yaml: there is no such file"):
        open_book("list", [tmp_path / "gone.yaml"])


def test_an_unknown_base_names_the_books_there_are() -> None:
    message = "'lst' is not a price book; the books are list, article-2026, or a file"
    with pytest.raises(PriceBookError, match=message):
        open_book("lst")


def test_a_book_that_is_not_utf_8(tmp_path: Path) -> None:
    file = tmp_path / "prices.yaml"
    file.write_bytes(b"book: \xff\n")
    with pytest.raises(PriceBookError, match="byte 6 is not UTF-8 text"):
        open_book("list", [file])


def test_multipliers_beyond_all_reason_are_refused(tmp_path: Path) -> None:
    """1000 x 1000 x 1000 x 1000 x 5 USD: more than any price, and at some point more than a table holds."""
    file = tmp_path / "prices.yaml"
    file.write_text(
        HEAD + "multipliers:\n" + "  - {provider: anthropic, multiplier: 1000, reason: again}\n" * 4, "utf-8"
    )
    book = open_book("list", [file])
    with pytest.raises(PriceBookError, match="the multipliers raise a price to 5,000,000,000,000 USD"):
        book.resolve("claude-opus-4-6")


def test_times_that_meet_are_priced_once(tmp_path: Path) -> None:
    """In any order, and beside other classes and processings of the same time."""
    one = "  - {model: acme/one, usd_per_mtok: {input: 1}"
    (tmp_path / "prices.yaml").write_text(
        f"{HEAD}models:\n{one}, valid_from: 2026-07-01}}\n{one}, valid_to: 2026-03-01}}\n"
        f"{one}, valid_from: 2026-03-01, valid_to: 2026-07-01}}\n{one}, processing: batch}}\n"
        "  - {model: acme/one, usd_per_mtok: {output: 1}}\n"
    )
    open_book("list", [tmp_path / "prices.yaml"])


@pytest.mark.slow
def test_a_file_of_many_models_is_checked_in_proportion(tmp_path: Path) -> None:
    """Each pair of 20,000 entries would be 200 million."""
    models = [{"model": f"acme/m{n}", "usd_per_mtok": {"input": 1}} for n in range(20_000)]
    (tmp_path / "prices.json").write_text(json.dumps({"book": "ours", "source": "x", "models": models}))
    begun = process_time()
    open_book("list", [tmp_path / "prices.json"])
    assert process_time() - begun < 20
