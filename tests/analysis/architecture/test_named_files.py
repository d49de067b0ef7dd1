"""Files that an architecture names: regular, bounded, in the project; what others hold is not shown."""

from __future__ import annotations

import os
import re
from contextlib import suppress
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from conftest import Run
from costsim.analysis.architecture.load import load_architecture, read_architecture, read_price_keys
from costsim.analysis.budgets import projected
from costsim.analysis.outcomes.store import read_outcomes
from costsim.analysis.simulation.monte_carlo import TokenSums
from costsim.analysis.simulation.scale import MAX_SCHEDULED
from costsim.analysis.simulation.settings import Settings, check_draws
from costsim.errors import ArchitectureError, CostsimError, InputError, PriceBookError
from costsim.pricing.book import open_book

COMPONENTS = "components: [{name: a, agent: a, task: t, runs_per_day: 1, tokens: {input: 1, output: 1}}]\n"
ROUTING = "model_routing: {fallback: gpt-4o}\n"
PRICES = "book: mine\nsource: me\nmodels: [{model: x/y, usd_per_mtok: {input: 1, output: 1}}]\n"


def project(folder: Path, key: str, named: str) -> Path:
    folder.mkdir(exist_ok=True)
    file = folder / "architecture.yaml"
    file.write_text(f"{key}: {named}\n{ROUTING}{COMPONENTS}")
    return file


@pytest.mark.parametrize("key", ["prices", "book", "budgets", "crons"])
@pytest.mark.parametrize("named", ["/dev/zero", "/etc/shadow", "secret", "../secret", "link"])
def test_a_file_outside_of_the_project_is_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, key: str, named: str
) -> None:
    monkeypatch.chdir(tmp_path / project(tmp_path / "project", key, named).parent)
    (tmp_path / "secret").write_text('root:$6$hash:19000\nkey: "hush\n')
    Path("link").symlink_to(tmp_path / "secret")
    with pytest.raises(CostsimError) as caught:
        open_book(load_architecture(Path("architecture.yaml")).architecture.book)
    assert "hash" not in str(caught.value)
    assert "hush" not in str(caught.value)


def test_a_file_above_is_read_in_the_same_repository_or_where_it_is_allowed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared" / "prices.yaml").write_text(PRICES)
    file = project(tmp_path / "project", "prices", "../shared/prices.yaml")
    with pytest.raises(ArchitectureError, match="outside of the project; copy it there, or allow its folder"):
        read_architecture(file)
    monkeypatch.setenv("COSTSIM_ALLOW", str(tmp_path / "shared"))
    assert read_architecture(file).prices
    monkeypatch.delenv("COSTSIM_ALLOW")
    (tmp_path / ".git").mkdir()
    assert read_architecture(file).prices


def test_a_device_or_pipe_is_no_price_book(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.yaml")
    for file in (Path("/dev/zero"), tmp_path / "pipe.yaml"):
        with pytest.raises(PriceBookError, match="not a file"):
            open_book("list", [file])


def test_so_many_draws_are_refused_before_they_fill_the_memory() -> None:
    with pytest.raises(CostsimError, match=r"1,096,000,000 draws .* at most 12,500,000 fit in memory: 11,405 trials"):
        Settings(date(2026, 1, 1), days=1096, trials=1_000_000).check()


def test_what_a_file_of_something_else_holds_is_not_shown(tmp_path: Path) -> None:
    (tmp_path / "shadow").write_text("root:$6$hash:19000:0:99999:7:::\n")
    with pytest.raises(PriceBookError, match="none of its keys is known here: book") as caught:
        open_book("list", [tmp_path / "shadow"])
    assert "hash" not in str(caught.value)


@pytest.mark.parametrize("name", ["pipe.csv", "pipe.jsonl"])
def test_outcomes_are_read_from_files_only(tmp_path: Path, name: str) -> None:
    os.mkfifo(tmp_path / name)
    with pytest.raises(InputError, match="not a file"):
        list(read_outcomes(tmp_path / name))


@pytest.mark.parametrize("command", ["run", "check", "diff architecture.yaml"])
def test_every_command_with_trials_is_bounded(costsim: Run, tmp_path: Path, command: str) -> None:
    """A million trials of a month are 28 to 31 million draws; one array of them is a quarter of a gigabyte."""
    (tmp_path / "architecture.yaml").write_text(
        "components: [{name: a, model: gpt-4o, runs_per_day: 5, tokens: {input: 5, output: 1}}]\nbudgets: [{name: b, usd: 5}]\n"
    )
    done = costsim(*command.split(), "--trials", "1000000")
    assert (done.code, done.out, done.err.count("\n")) == (2, "", 1), done.err
    assert "at most 12,500,000 fit in memory" in done.err


@pytest.mark.parametrize(("components", "scale"), [(1, "3"), (3, "1")])
def test_runs_of_schedules_are_bounded(
    costsim: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, components: int, scale: str
) -> None:
    """A run a minute is 43,200 in 30 days: three times as many, or those of three components, are over 100,000."""
    assert MAX_SCHEDULED.value == 100_000_000
    monkeypatch.setenv(MAX_SCHEDULED.variable, "100000")
    component = '{{name: c{}, model: gpt-4o, schedule: "* * * * *", tokens: {{input: 5, output: 1}}}}'
    listed = ", ".join(map(component.format, range(components)))
    (tmp_path / "architecture.yaml").write_text(f"components: [{listed}]\n")
    done = costsim("run", "--scale", scale, "--days", "30")
    assert (done.code, done.out, done.err.count("\n")) == (2, "", 1), done.err
    assert "schedules run over 100,000 times in these days" in done.err


def test_the_sums_of_many_plans_or_budgets_are_bounded_together(monkeypatch: pytest.MonkeyPatch) -> None:
    """30 days and 400,000 trials are 12,000,000 draws: 20 sums of them fit, 21 do not (12,500,000 x 20 / 21)."""
    check_draws(30, 400_000, 20)
    with pytest.raises(CostsimError, match="at most 11,904,761 fit in memory"):
        check_draws(30, 400_000, 21)
    monkeypatch.setenv("COSTSIM_MAX_DRAWS", "13000000")
    check_draws(30, 400_000, 21)


def test_drawn_tokens_are_kept_up_to_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(projected, "KEPT_BYTES", 100)
    draws = projected.TokenDraws()
    for number in range(5):
        newest = TokenSums([np.zeros(8)], [], [])  # 64 bytes
        draws.kept[number,] = newest
        draws._forget(newest)
    assert list(draws.kept) == [(3,), (4,)]  # 64 besides the newest, not 128


STORES = {
    "forecast": "forecast: {store: STORE}\ncomponents: [{name: a, agent: a, task: t, runs_per_day: 1, tokens: {input: 1}}]\n",
    "from_usage": "components: [{name: a, model: x/y, runs_per_day: 1, tokens: {from_usage: {store: STORE}}}]\n",
    "from_outcomes": "components: [{name: a, model: x/y, runs_per_day: 1, tokens: {input: 1, output: 1}, "
    "escalate: {to: x/z, probability: {from_outcomes: STORE}}}]\n",
}


@pytest.mark.parametrize("key", STORES)
@pytest.mark.parametrize("named", ["/ABOVE/s.duckdb", "../s.duckdb", "link.duckdb", "folder/s.duckdb"])
def test_a_store_outside_of_the_project_is_not_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, key: str, named: str
) -> None:
    (tmp_path / "s.duckdb").write_bytes(b"")
    folder = tmp_path / "project"
    folder.mkdir()
    monkeypatch.chdir(folder)
    Path("link.duckdb").symlink_to("../s.duckdb")
    Path("folder").symlink_to("..")
    Path("a.yaml").write_text(STORES[key].replace("STORE", named.replace("/ABOVE", str(tmp_path))))
    with pytest.raises(
        ArchitectureError, match=rf"a.yaml:\d .*{key}.*is outside of the project; copy it there, or allow"
    ):
        load_architecture(Path("a.yaml"))
    monkeypatch.setenv("COSTSIM_ALLOW", str(tmp_path))
    with suppress(CostsimError):  # no outcomes in it
        assert load_architecture(Path("a.yaml"))


@pytest.mark.parametrize("key", [*STORES, "prices", "budgets"])
def test_a_path_with_a_nul_is_refused_in_one_line(tmp_path: Path, key: str) -> None:
    text = STORES.get(key, f"{key}: STORE\n{ROUTING}{COMPONENTS}")
    (tmp_path / "a.yaml").write_text(text.replace("STORE", r'"s\0.duckdb"'))
    with pytest.raises(ArchitectureError, match=rf"a.yaml:\d .*{key}.*a path has no NUL character; take it out"):
        load_architecture(tmp_path / "a.yaml")


@pytest.mark.parametrize("name", ["lst", '""', "list.yml", "article2026"])
@pytest.mark.parametrize("key", ["book", "calibrate.book", "claims[0].books"])
def test_a_book_that_is_none_is_named_with_its_place(tmp_path: Path, key: str, name: str) -> None:
    claims = f"claims: [{{says: x, stated: 1, daily_usd: {{}}, books: [{name}]}}]"
    calibrated = f"calibrate: {{daily_usd: 1, input_per_output: 1, book: {name}}}"
    uses = calibrated if key.startswith("calibrate") else "tokens: {input: 1, output: 1}"
    text = f"components: [{{name: a, model: x/y, runs_per_day: 1, {uses}}}]\n"
    text += {"book": f"book: {name}", "claims[0].books": claims}.get(key, "")
    (tmp_path / "a.yaml").write_text(text)
    if name == "list.yml":  # a file is looked for when the book is read
        assert load_architecture(tmp_path / "a.yaml")
        return
    with pytest.raises(ArchitectureError) as caught:
        load_architecture(tmp_path / "a.yaml")
    assert f"{key}" in str(caught.value)
    assert "a.yaml:" in str(caught.value)
    assert "this is not a price book; the books are list, article-2026, or a file" in str(caught.value)


@pytest.mark.parametrize("key", ["budgets", "crons", "routing"])
def test_a_named_file_that_cannot_be_read_is_told_with_the_place_that_names_it(tmp_path: Path, key: str) -> None:
    (tmp_path / "config").write_text("[core]\n\tbare = false\n")
    with pytest.raises(ArchitectureError, match=rf"a.yaml:1 {key}: .*config:\d: this is not YAML"):
        load_architecture(project(tmp_path, key, "config").rename(tmp_path / "a.yaml"))


@pytest.mark.parametrize(("prices", "key"), [("config", "prices"), ("[other.yaml, config]", "prices[1]")])
def test_an_overlay_that_cannot_be_read_is_told_with_the_place_that_names_it(
    tmp_path: Path, prices: str, key: str
) -> None:
    """By who reads the whole architecture, and by who asks it for its prices only."""
    (tmp_path / "config").write_bytes(b"\x80")
    (tmp_path / "other.yaml").write_text("models: [{model: x/y, usd_per_mtok: {input: 1, output: 1}}]\n")
    file = tmp_path / "a.yaml"
    file.write_text(f"name: a\nprices: {prices}\ncomponents: [{{name: a, model: x/y, runs_per_day: 1, "
                    "tokens: {input: 1, output: 1}}]\n")  # fmt: skip
    for read in (load_architecture, read_price_keys):
        with pytest.raises(ArchitectureError, match=rf"a.yaml:2 {re.escape(key)}: .*config: byte 0 is not UTF-8 text"):
            read(file)
