"""`costsim diff` between revisions: each side is what its commit has, whatever lies in the working tree beside it."""

from __future__ import annotations

import json
import os
import shutil
from decimal import Decimal
from pathlib import Path
from subprocess import run
from typing import Any

import pytest
from conftest import Run
from costsim.analysis.compare.repository import ALWAYS, OF_A_REPOSITORY
from repositories import ROUTING, blob, commit, fleet, git, made, repository

QUICK = ("--start", "2026-06-01", "--trials", "10", "--format", "json")
SONNET = '{"model_routing": {"m": "anthropic/claude-sonnet-4-6"}}'
HAIKU = '{"model_routing": {"m": "anthropic/claude-haiku-4-5"}}'


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    return repository(tmp_path)


def compared(costsim: Run, *arguments: str) -> Any:
    """What `costsim diff` prints of these."""
    done = costsim("diff", *arguments, *QUICK)
    assert (done.code, done.err) == (0, ""), done.err
    return json.loads(done.out)


def difference(costsim: Run, *arguments: str) -> Decimal:
    return Decimal(compared(costsim, *arguments)["difference_usd"])


def refused(costsim: Run, *arguments: str) -> str:
    """The one line with which these are refused."""
    done = costsim("diff", *arguments, *QUICK)
    assert (done.code, done.out, done.err.count("\n")) == (2, "", 1), (done.code, done.err)
    return done.err


# What a link leads to: that of the same commit. A run of fleet() is $0.0015, of each run a day $0.045 in 30 days.


@pytest.mark.slow
def test_each_side_follows_its_own_link(costsim: Run, repo: Path) -> None:
    """1 run a day, then 101: 100 x $0.045."""
    commit(repo, {"v1.yaml": fleet(1), "v2.yaml": fleet(101), "architecture.yaml": Path("v1.yaml")})
    commit(repo, {"architecture.yaml": Path("v2.yaml")})
    assert difference(costsim, "HEAD~1", "HEAD") == Decimal("4.5")
    assert difference(costsim, "HEAD~1") == Decimal("4.5")
    assert costsim("diff", "HEAD~1", "HEAD", "--max-increase", "1%", *QUICK).code == 1


@pytest.mark.slow
def test_a_linked_folder_above_is_that_of_the_revision(costsim: Run, repo: Path) -> None:
    commit(repo, {"v1/a.yaml": fleet(1), "v2/a.yaml": fleet(101), "current": Path("v1")})
    commit(repo, {"current": Path("v2")})
    for file in ("current/a.yaml", str(repo / "current" / "a.yaml"), "v1/../current/a.yaml"):
        assert difference(costsim, "HEAD~1..HEAD", "--file", file) == Decimal("4.5")


@pytest.mark.slow
def test_a_linked_folder_is_that_of_the_revision_from_outside_of_the_repository(costsim: Run, tmp_path: Path) -> None:
    repo = repository(tmp_path / "real" / "repo")
    commit(repo, {"v1/a.yaml": fleet(1), "v2/a.yaml": fleet(101), "current": Path("v1")})
    commit(repo, {"current": Path("v2")})
    (tmp_path / "linked").symlink_to("real")
    assert difference(costsim, "HEAD~1..HEAD", "--file", "linked/repo/current/a.yaml") == Decimal("4.5")


def test_what_an_architecture_names_is_linked_as_in_its_revision(costsim: Run, repo: Path) -> None:
    """A run on Sonnet 4.6 ($3 and $15) is $0.003 + $0.0015, three times as much: 10 x 30 x $0.003 more."""
    files = {"haiku.json": HAIKU, "sonnet.json": SONNET, "fleet/architecture.yaml": fleet(10, "routing: r.json\n")}
    commit(repo, files | {"chosen": Path("haiku.json"), "fleet/r.json": Path("../chosen")})
    commit(repo, {"chosen": Path("sonnet.json")})
    assert difference(costsim, "HEAD~1..HEAD", "--file", "fleet/architecture.yaml") == Decimal("0.9")


def test_a_name_that_goes_up_from_a_linked_folder_goes_up_from_where_that_leads(costsim: Run, repo: Path) -> None:
    files = {"a/routing.json": HAIKU, "b/routing.json": SONNET, "a/in/x.yaml": "{}", "b/in/x.yaml": "{}"}
    commit(repo, files | {"architecture.yaml": fleet(10, "routing: in/../routing.json\n"), "in": Path("a/in")})
    commit(repo, {"in": Path("b/in")})
    assert difference(costsim, "HEAD~1..HEAD") == Decimal("0.9")


def test_a_whole_path_into_the_working_tree_is_of_the_revision(costsim: Run, repo: Path) -> None:
    commit(repo, {"architecture.yaml": fleet(10, f"routing: {repo}/r.json\n"), "r.json": HAIKU})
    commit(repo, {"r.json": Path(repo / "s.json"), "s.json": SONNET})
    assert difference(costsim, "HEAD~1..HEAD") == Decimal("0.9")


@pytest.mark.parametrize(
    ("link", "message"),
    [
        ("architecture.yaml", "its links lead round in a circle"),
        ("gone.yaml", "it is a link to 'gone.yaml', which is not there"),
        ("../outside.yaml", "it leads out of the repository, to '"),
        ("/etc/passwd", "it leads out of the repository, to '/etc/passwd'"),
        ("folder", "'architecture.yaml' is a folder"),
    ],
)
def test_a_link_to_no_file_of_the_commit_is_refused(costsim: Run, repo: Path, link: str, message: str) -> None:
    first = commit(repo, {"architecture.yaml": Path(link), "folder/x.yaml": "{}"})
    commit(repo, {"architecture.yaml": fleet(1)})
    said = refused(costsim, "HEAD~1..HEAD")
    assert message in said
    assert f"{first[:12]}:architecture.yaml" in said


def test_a_named_link_out_of_the_repository_is_allowed_as_in_the_working_tree(
    costsim: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repo = repository(tmp_path / "repo")
    (tmp_path / "r.json").write_text(HAIKU)
    commit(repo, {"architecture.yaml": fleet(1, "routing: r.json\n"), "r.json": Path("../r.json")})
    monkeypatch.chdir(repo)
    assert "'r.json' is outside of the project" in refused(costsim, "HEAD..HEAD")
    monkeypatch.setenv("COSTSIM_ALLOW", str(tmp_path))
    assert difference(costsim, "HEAD..HEAD") == 0


# What a file is called.


@pytest.mark.parametrize(
    "name", ["fleet", "fleet.conf", "FLEET.YML", ".fleet", "flotte-ü", "a\\b.yaml", "new\nline", "-f"]
)
def test_a_file_is_there_whatever_it_is_called(costsim: Run, repo: Path, name: str) -> None:
    commit(repo, {name: fleet(1)})
    commit(repo, {name: fleet(101)})
    assert difference(costsim, "HEAD~1..HEAD", f"--file={name}") == Decimal("4.5")


@pytest.mark.slow
def test_so_are_the_files_that_it_names(costsim: Run, repo: Path) -> None:
    prices = (
        "book: own\nsource: me\nmodels: [{model: anthropic/claude-haiku-4-5, usd_per_mtok: {input: IN, output: 0}}]\n"
    )
    named = fleet(10, "routing: routing\nbudgets: budgets.conf\nbook: book\n")
    files = {"architecture.yaml": named, "routing": HAIKU, "budgets.conf": "budgets: [{name: b, usd: 5}]\n"}
    commit(repo, files | {"book": prices.replace("IN", "1")})
    commit(repo, {"book": prices.replace("IN", "2")})
    # 10 x 30 runs of 1,000 tokens at $1 and at $2 per million
    assert difference(costsim, "HEAD~1..HEAD") == Decimal("0.3")


def test_what_is_named_and_not_in_the_commit_is_missing(costsim: Run, repo: Path) -> None:
    first = commit(repo, {".gitignore": "r.json", "architecture.yaml": fleet(1, "routing: r.json\n")})
    (repo / "r.json").write_text(HAIKU)
    assert f"{first[:12]}:architecture.yaml:2 routing: there is no file 'r.json'" in refused(costsim, "HEAD")


def test_a_file_whose_folder_is_gone_is_compared_where_it_was(costsim: Run, repo: Path) -> None:
    commit(repo, {"fleet/a.yaml": fleet(1)})
    commit(repo, {"fleet/a.yaml": fleet(101)})
    commit(repo, {"fleet/a.yaml": None})
    assert not (repo / "fleet" / "a.yaml").exists()
    shutil.rmtree(repo / "fleet", ignore_errors=True)
    assert difference(costsim, "HEAD~2..HEAD~1", "--file", "fleet/a.yaml") == Decimal("4.5")


def test_a_file_that_git_knows_in_other_letters_is_named(costsim: Run, repo: Path) -> None:
    """Where the disk does not tell them apart, `Fleet.yaml` opens `fleet.yaml`; else it is another file, and added."""
    commit(repo, {"fleet.yaml": fleet(1)})
    (repo / "Fleet.yaml").write_text(fleet(1))
    assert compared(costsim, "HEAD", "--file", "Fleet.yaml")["components"][0]["change"] == "added"
    git(repo, "config", "core.ignorecase", "true")
    assert "git knows 'Fleet.yaml' as 'fleet.yaml'" in refused(costsim, "HEAD", "--file", "Fleet.yaml")


def test_a_file_that_git_lfs_keeps_is_named(costsim: Run, repo: Path) -> None:
    pointer = f"version https://git-lfs.github.com/spec/v1\noid sha256:{'0' * 64}\nsize 12\n"
    commit(repo, {"architecture.yaml": fleet(1, "routing: r.json\n"), "r.json": pointer})
    assert "it is kept by Git LFS" in refused(costsim, "HEAD..HEAD")


# Stores are logs, which are no part of a revision.


@pytest.mark.slow
@pytest.mark.parametrize("store", ["logs.duckdb", "../logs/all.db"])
def test_a_store_that_the_commit_lacks_is_that_of_the_working_tree(
    sessions: Run, repo: Path, tmp_path: Path, store: str
) -> None:
    used = f"{{from_usage: {{store: {store}}}}}"
    text = "components: [{name: a, model: anthropic/claude-haiku-4-5, runs_per_day: RUNS, tokens: USED}]\n"
    text = text.replace("USED", used)
    (tmp_path / ".gitignore").write_text("*.duckdb\n*.db\n")
    commit(repo, {"fleet/a.yaml": text.replace("RUNS", "1")})
    commit(repo, {"fleet/a.yaml": text.replace("RUNS", "3")})
    place = repo / "fleet" / store
    (repo / "logs").mkdir()
    (repo / "costsim.duckdb").rename(place)
    found = compared(sessions, "HEAD~1..HEAD", "--file", "fleet/a.yaml")
    assert Decimal(found["after_usd"]) == 3 * Decimal(found["before_usd"]) > 0
    assert compared(sessions, "HEAD", "--file", "fleet/a.yaml")["components"] == []


# Where git fails.


def _partial(folder: Path) -> Path:
    """A clone without contents, its origin gone; of the newest commit, the working tree has them."""
    origin = repository(folder / "origin")
    commit(origin, {"architecture.yaml": fleet(1)})
    commit(origin, {"architecture.yaml": fleet(101)})
    git(origin, "config", "uploadpack.allowFilter", "true")
    git(folder, "clone", "-q", "--filter=blob:none", f"file://{origin}", "part")
    return folder / "part"


@pytest.mark.slow
def test_in_a_partial_clone_what_is_missing_is_an_error(
    costsim: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clone = _partial(tmp_path)
    monkeypatch.chdir(clone)
    said = refused(costsim, "HEAD~1..HEAD")
    assert "'architecture.yaml' at" in said
    assert "a partial clone, and costsim fetches nothing; GIT_NO_LAZY_FETCH=0 lets git do so" in said
    monkeypatch.setenv("GIT_NO_LAZY_FETCH", "0")
    assert difference(costsim, "HEAD~1..HEAD") == Decimal("4.5")


@pytest.mark.slow
def test_a_partial_clone_whose_origin_is_gone_is_no_empty_side(
    costsim: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(_partial(tmp_path))
    shutil.rmtree(tmp_path / "origin")
    for lazy in ("", "1", "0"):
        monkeypatch.setenv("GIT_NO_LAZY_FETCH", lazy)
        assert "cannot be read; git says: could not fetch" in refused(costsim, "HEAD~1..HEAD")


@pytest.mark.slow
def test_nothing_that_a_repository_is_configured_to_run_is_run(
    costsim: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clone = _partial(tmp_path)
    monkeypatch.chdir(clone)
    program = tmp_path / "run"
    program.write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\n")
    program.chmod(0o755)
    for key in ("core.fsmonitor", "core.sshCommand", "core.askPass", "core.pager", "credential.helper", "core.editor"):
        git(clone, "config", key, str(program))
    git(clone, "config", "core.hooksPath", str(tmp_path))
    git(clone, "config", "protocol.ext.allow", "always")
    for url in (f"ext::{program}", "ssh://host/repo"):
        git(clone, "config", "remote.origin.url", url)
        refused(costsim, "HEAD~1..HEAD")
        refused(costsim, "HEAD~1...:0:architecture.yaml")
    assert not (tmp_path / "ran").exists()
    monkeypatch.setenv("GIT_NO_LAZY_FETCH", "0")  # whoever says so lets git fetch as it is configured
    refused(costsim, "HEAD~1..HEAD")
    assert (tmp_path / "ran").exists()


def _object(repo: Path, name: str) -> Path:
    return repo / ".git" / "objects" / name[:2] / name[2:]


@pytest.mark.parametrize("content", [None, b"garbage", b""])
@pytest.mark.parametrize("what", ["HEAD~1:architecture.yaml", "HEAD~1:r", "HEAD~1:", "HEAD~1"])
def test_an_object_that_is_missing_or_damaged_is_an_error(
    costsim: Run, repo: Path, what: str, content: bytes | None
) -> None:
    commit(repo, {"architecture.yaml": fleet(1, "routing: r\n"), "r": HAIKU})
    commit(repo, {"architecture.yaml": fleet(2, "routing: r\n"), "r": SONNET})
    path = _object(repo, git(repo, "rev-parse", what))
    path.chmod(0o600)
    path.unlink() if content is None else path.write_bytes(content)
    said = refused(costsim, "HEAD~1..HEAD")
    assert "fault" not in said
    assert "git says: " in said or "is neither a file nor a revision" in said


def test_an_object_of_another_content_is_an_error(costsim: Run, repo: Path) -> None:
    commit(repo, {"architecture.yaml": fleet(1)})
    other = _object(repo, blob(repo, fleet(2)))
    path = _object(repo, git(repo, "rev-parse", "HEAD:architecture.yaml"))
    path.unlink()
    other.rename(path)
    assert "its content is another than its hash says" in refused(costsim, "HEAD..HEAD")


def test_a_commit_is_what_its_name_says_whatever_replaces_it_here(costsim: Run, repo: Path) -> None:
    commit(repo, {"architecture.yaml": fleet(1)})
    commit(repo, {"architecture.yaml": fleet(101)})
    git(repo, "replace", git(repo, "rev-parse", "HEAD:architecture.yaml"), blob(repo, fleet(1)))
    assert difference(costsim, "HEAD~1..HEAD") == Decimal("4.5")


def test_a_shallow_clone_says_that_it_is_one(costsim: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    origin = repository(tmp_path / "origin")
    first = commit(origin, {"architecture.yaml": fleet(1)})
    commit(origin, {"architecture.yaml": fleet(2)})
    git(tmp_path, "clone", "-q", "--depth=1", f"file://{origin}", "clone")
    monkeypatch.chdir(tmp_path / "clone")
    for revisions in ("HEAD~1..HEAD", f"{first}..HEAD", "HEAD~1...HEAD"):
        said = refused(costsim, revisions)
        assert "is neither a file nor a revision of this git repository (a shallow clone: git fetch --unshallow" in said


def test_a_repository_that_git_takes_for_unsafe_is_not_taken_for_none(
    costsim: Run, repo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit(repo, {"architecture.yaml": fleet(1)})
    monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")
    assert "detected dubious ownership in repository" in refused(costsim, "HEAD..HEAD")


def test_a_file_over_the_bound_is_an_error(costsim: Run, repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("costsim.analysis.compare.trees.MAX_FILE_BYTES", 1 << 20)
    commit(repo, {"architecture.yaml": fleet(1) + "#" * (1 << 20)})
    commit(repo, {"architecture.yaml": fleet(1, "routing: r.json\n"), "r.json": HAIKU + " " * (1 << 20)})
    assert "'architecture.yaml' at" in refused(costsim, "HEAD~1..HEAD")
    assert "architecture.yaml:2 routing: 'r.json' at" in refused(costsim, "HEAD..HEAD")


def test_files_over_the_bound_together_are_an_error(costsim: Run, repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("costsim.analysis.compare.revisions.MAX_BYTES", 200)
    commit(repo, {"architecture.yaml": fleet(1, "routing: r.json\n"), "r.json": HAIKU + " " * 200})
    assert "files of over 0 MiB are named" in refused(costsim, "HEAD..HEAD")


def test_a_folder_whose_name_is_no_utf8_is_a_repository(
    costsim: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repo = repository(tmp_path / os.fsdecode(b"caf\xe9"))
    commit(repo, {"architecture.yaml": fleet(1)})
    commit(repo, {"architecture.yaml": fleet(101)})
    monkeypatch.chdir(repo)
    assert difference(costsim, "HEAD~1..HEAD") == Decimal("4.5")


# Which repository it is.


def test_every_variable_of_a_repository_is_left_out_but_for_objects_and_configuration(repo: Path) -> None:
    kept = {"GIT_OBJECT_DIRECTORY", "GIT_ALTERNATE_OBJECT_DIRECTORIES", "GIT_CONFIG_PARAMETERS", "GIT_CONFIG_COUNT"}
    assert {*git(repo, "rev-parse", "--local-env-vars").split()} <= {*OF_A_REPOSITORY, *ALWAYS, *kept}


@pytest.mark.parametrize("variable", ["GIT_DIR", "GIT_WORK_TREE", "GIT_COMMON_DIR", "GIT_INDEX_FILE", "GIT_PREFIX"])
def test_a_variable_of_a_hook_does_not_choose_the_repository(
    costsim: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    repo, other = repository(tmp_path / "repo"), repository(tmp_path / "other")
    commit(repo, {"fleet/a.yaml": fleet(1)})
    commit(repo, {"fleet/a.yaml": fleet(101)})
    commit(other, {"x": ""})
    monkeypatch.chdir(repo)
    monkeypatch.setenv(variable, str(other / ("" if variable == "GIT_WORK_TREE" else ".git")))
    assert difference(costsim, "HEAD~1..HEAD", "--file", "fleet/a.yaml") == Decimal("4.5")


def test_objects_that_a_push_brings_are_seen_by_its_hook(
    costsim: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server keeps them apart until its hooks have run, in its bare repository, and says where in variables."""
    repo = repository(tmp_path / "repo")
    first = commit(repo, {"fleet/a.yaml": fleet(1)})
    git(tmp_path, "clone", "-q", "--bare", str(repo), "bare")
    second = commit(repo, {"fleet/a.yaml": fleet(101)})
    bare = tmp_path / "bare"
    monkeypatch.chdir(bare)
    monkeypatch.setenv("GIT_DIR", ".")
    assert "neither a file nor a revision" in refused(costsim, f"{first}..{second}", "--file", "fleet/a.yaml")
    monkeypatch.setenv("GIT_OBJECT_DIRECTORY", str(repo / ".git" / "objects"))
    monkeypatch.setenv("GIT_ALTERNATE_OBJECT_DIRECTORIES", str(bare / "objects"))
    assert difference(costsim, f"{first}..{second}", "--file", "fleet/a.yaml") == Decimal("4.5")


def test_a_file_in_a_repository_within_is_not_taken_for_a_new_one(costsim: Run, repo: Path) -> None:
    commit(repo, {"README": "x"})
    commit(repository(repo / "within"), {"a.yaml": fleet(1)})
    assert f"the file lies in {repo}/within, which is not of the git repository {repo}" in refused(
        costsim, "HEAD", "--file", "within/a.yaml"
    )


@pytest.mark.slow
def test_a_submodule_in_the_path_is_named(costsim: Run, repo: Path) -> None:
    commit(repo, {"fleet/a.yaml": fleet(1)})
    entry = f"160000 commit {git(repo, 'rev-parse', 'HEAD')}\tfleet\n"
    head = made(repo, entry)
    assert "fleet/a.yaml: 'fleet' is a submodule at" in refused(costsim, f"HEAD..{head}", "--file", "fleet/a.yaml")
    file = blob(repo, fleet(1, "routing: fleet/r.json\n"))
    outer = made(repo, f"{entry}100644 blob {file}\tarchitecture.yaml\n")
    assert "routing: 'fleet' is a submodule at" in refused(costsim, f"{outer}..{outer}")


# Which revisions are compared.


@pytest.fixture
def branched(repo: Path) -> Path:
    """main goes from 1 run a day to 11, and topic, which began before that, to 101."""
    commit(repo, {"architecture.yaml": fleet(1)})
    git(repo, "checkout", "-q", "-b", "topic")
    commit(repo, {"architecture.yaml": fleet(101)})
    git(repo, "checkout", "-q", "main")
    commit(repo, {"architecture.yaml": fleet(11)})
    return repo


@pytest.mark.slow
def test_three_dots_are_since_the_merge_base(costsim: Run, branched: Path) -> None:
    """101 - 11 runs a day against main as it is, 101 - 1 against where topic began."""
    assert difference(costsim, "main..topic") == Decimal("4.05")
    found = compared(costsim, "main...topic")
    assert found["difference_usd"] == "4.5"
    assert (found["base"], found["head"]) == (
        "merge-base(main, topic):architecture.yaml", "topic:architecture.yaml",
    )  # fmt: skip
    assert difference(costsim, "topic...") == Decimal("0.45")  # HEAD is main: 11 - 1
    assert difference(costsim, "...topic") == Decimal("4.5")


@pytest.mark.slow
def test_revisions_without_a_commit_in_common_have_no_merge_base(costsim: Run, branched: Path) -> None:
    git(branched, "checkout", "-q", "--orphan", "alone")
    commit(branched, {"architecture.yaml": fleet(3)})
    assert "'main' and 'alone' have no commit in common" in refused(costsim, "main...alone")
    assert difference(costsim, "main..alone") == Decimal("-0.36")


@pytest.mark.slow
def test_of_several_merge_bases_the_one_that_git_takes_is_named(costsim: Run, branched: Path) -> None:
    """Each branch merges what the other one began with: both beginnings are merge bases."""
    began = [git(branched, "rev-parse", name) for name in ("main", "topic")]
    for branch, other in (("main", began[1]), ("topic", began[0])):
        git(branched, "checkout", "-q", branch)
        git(branched, "merge", "-q", "-s", "ours", "-m", "merge", other)
    done = costsim("diff", "main...topic", *QUICK)
    taken = git(branched, "merge-base", "main", "topic")
    assert done.err == f"merge-base(main, topic) is {taken[:12]} of 2, as git diff takes it\n"
    assert taken in began


@pytest.mark.parametrize("name", ["main", "main..topic", "main...topic"])
def test_a_file_of_a_revisions_name_is_not_compared_in_its_place(costsim: Run, branched: Path, name: str) -> None:
    """Whoever opens a pull request could add one."""
    (branched / name).write_text(fleet(101))
    assert f"'{name}' is both a file and a revision; write ./{name} for the file" in refused(costsim, name)
    assert difference(costsim, f"./{name}") == Decimal("-4.05")  # 11 - 101
    if name == "main":
        assert difference(costsim, "main..topic") == Decimal("4.05")


def test_a_name_of_two_revisions_is_refused(costsim: Run, branched: Path) -> None:
    git(branched, "tag", "main", "topic")
    assert "'main' is ambiguous in this git repository" in refused(costsim, "main")
    assert difference(costsim, "refs/heads/main") == 0


@pytest.mark.parametrize("path", ["../gone.yaml", "a/../gone.yaml"])
def test_a_path_with_two_dots_is_no_pair_of_revisions(costsim: Run, branched: Path, path: str) -> None:
    assert f"{path!r} is neither a file nor a revision" in refused(costsim, path, "architecture.yaml")


# What a commit has that nobody would check out.


@pytest.mark.parametrize("name", ["..", ".", ".git", ".GIT"])
@pytest.mark.parametrize("deep", [False, True])
def test_a_commit_with_an_entry_that_leads_out_of_its_folder_is_refused(
    costsim: Run, tmp_path: Path, name: str, deep: bool
) -> None:
    repo = repository(tmp_path / "repo")
    file = blob(repo, fleet(1))
    inner = git(repo, "mktree", given=f"100644 blob {file}\tescaped.yaml\n".encode())
    tree = _raw_tree(repo, [("100644", "architecture.yaml", file), ("40000", name, inner)])
    if deep:
        tree = _raw_tree(repo, [("40000", "fleet", tree)])
    head = git(repo, "commit-tree", tree, "-m", "x")
    path = f"repo/{'fleet/' if deep else ''}architecture.yaml"
    assert f"an entry of it is called {name!r}" in refused(costsim, f"{head}..{head}", "--file", path)
    assert not list(tmp_path.rglob("escaped.yaml"))


@pytest.mark.parametrize("name", ["/abs.yaml", "a//b.yaml", "x/../../b.yaml", ""])
def test_a_commit_with_a_path_for_a_name_is_refused(costsim: Run, repo: Path, name: str) -> None:
    file = blob(repo, fleet(1))
    tree = _raw_tree(repo, [("100644", name, file), ("100644", "architecture.yaml", file)])
    head = git(repo, "commit-tree", tree, "-m", "x")
    assert f"an entry of it is called {name!r}" in refused(costsim, f"{head}..{head}")


@pytest.mark.parametrize("tree", [b"100644", b"100644 a", b"100644 a\0short", b"xyz a\0" + b"0" * 20])
def test_a_folder_that_is_none_is_refused(costsim: Run, repo: Path, tree: bytes) -> None:
    name = git(repo, "hash-object", "-t", "tree", "--literally", "-w", "--stdin", given=tree)
    head = git(repo, "hash-object", "-t", "commit", "--literally", "-w", "--stdin",
               given=f"tree {name}\nauthor a <a@b.c> 1 +0000\ncommitter a <a@b.c> 1 +0000\n\nx\n".encode())  # fmt: skip
    said = refused(costsim, f"{head}..{head}")
    assert "git has no usable folder at" in said


def _raw_tree(repo: Path, entries: list[tuple[str, str, str]]) -> str:
    content = b"".join(f"{mode} {name}\0".encode() + bytes.fromhex(oid) for mode, name, oid in entries)
    return git(repo, "hash-object", "-t", "tree", "--literally", "-w", "--stdin", given=content)


def test_a_link_that_is_no_path_is_refused(costsim: Run, repo: Path) -> None:
    for content in ("", "a\0b", "a/" * 4096):
        head = made(repo, f"120000 blob {blob(repo, content)}\tarchitecture.yaml\n")
        assert "leads to what is no path" in refused(costsim, f"{head}..{head}")


@pytest.mark.slow
def test_names_that_are_linked_often_are_looked_up_once(
    costsim: Run, repo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """20 components of one log, behind a link: two questions to git for each object of both sides, not for each name."""
    asked: list[Any] = []

    def counted(*given: Any, **how: Any) -> Any:
        asked.append(given)
        return run(*given, **how)  # noqa: PLW1510 (as it is called)

    monkeypatch.setattr("subprocess.run", counted)
    used = "{from_usage: {file: logs/u.csv, columns: {input: input}}}"
    listed = "".join(f"  - {{name: c{n}, task: m, runs_per_day: 1, tokens: {used}}}\n" for n in range(20))
    files: dict[str, str | Path | None] = {
        "all/u.csv": "input\n5\n",
        "logs": Path("all"),
        "architecture.yaml": f"{ROUTING}components:\n{listed}",
    }
    commit(repo, files)
    asked.clear()
    compared(costsim, "HEAD..HEAD")
    assert len(asked) < 36


def test_a_bare_repository_with_working_trees_beside_it_has_the_one_of_the_file(costsim: Run, tmp_path: Path) -> None:
    repo = repository(tmp_path / "repo")
    commit(repo, {"fleet/a.yaml": fleet(1)})
    commit(repo, {"fleet/a.yaml": fleet(101)})
    git(tmp_path, "clone", "-q", "--bare", str(repo), ".bare")
    (tmp_path / ".git").write_text("gitdir: ./.bare\n")
    git(tmp_path, "worktree", "add", "-q", "topic", "main")
    assert difference(costsim, "HEAD~1..main", "--file", "topic/fleet/a.yaml") == Decimal("4.5")
    assert difference(costsim, "HEAD~1..main", "--file", "fleet/a.yaml") == Decimal("4.5")


def test_objects_may_be_named_by_sha256(costsim: Run, tmp_path: Path) -> None:
    git(tmp_path, "init", "-q", "-b", "main", "--object-format=sha256")
    first = commit(tmp_path, {"architecture.yaml": fleet(1)})
    commit(tmp_path, {"architecture.yaml": fleet(101)})
    assert len(first) == 64
    (tmp_path / first).write_text(fleet(1))
    assert difference(costsim, first, "HEAD") == Decimal("4.5")


def test_a_file_that_a_named_file_names_lies_beside_that(costsim: Run, repo: Path) -> None:
    """Crons in a folder of their own, whose log lies there: 10 and 30 tokens a run at $1 per million, 720 runs."""
    cron = "{name: a, schedule: 0 * * * *, model: anthropic/claude-haiku-4-5, tokens: USED}"
    cron = cron.replace("USED", "{from_usage: {file: ../logs/u, columns: {input: input}}}")
    files = {"architecture.yaml": "crons: crons/list\n", "crons/list": f"crons:\n  - {cron}\n", "logs/u": "input\n10\n"}
    commit(repo, files)
    commit(repo, {"logs/u": "input\n30\n"})
    found = compared(costsim, "HEAD~1..HEAD")
    assert Decimal(found["difference_usd"]) == Decimal("0.0144")
    assert [cause["cause"] for cause in found["components"][0]["causes"]] == ["tokens"]


def test_equal_revisions_differ_in_nothing_whatever_they_name(costsim: Run, repo: Path) -> None:
    book = "book: own\nsource: me\nmodels: [{model: x/y, usd_per_mtok: {input: 1, output: 1}}]\n"
    solved = "calibrate: {daily_usd: 1, input_per_output: 1, book: own.yaml}"
    text = f"components: [{{name: a, model: x/y, runs_per_day: 1, {solved}}}]\nbook: own.yaml\n"
    commit(repo, {"architecture.yaml": text, "own.yaml": book})
    for revisions in (["HEAD..HEAD"], ["HEAD"]):
        assert compared(costsim, *revisions)["components"] == []
