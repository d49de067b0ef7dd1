"""The GitHub Action and the pre-commit hooks, by running the very steps that they ship.

`gh` and `pip` are stubs that write down how they were called; costsim, git and bash are the real ones.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import costsim
import pytest
import yaml
from costsim.analysis.spend.ledger import bring_up_to_date
from costsim.cli.start import write_starter
from costsim.pricing.book import open_book
from costsim.usage.load import load
from costsim.usage.readers.mapped import parse_mapping
from costsim.usage.store import open_store

ROOT = Path(__file__).parent.parent
ACTION: dict[str, Any] = yaml.safe_load((ROOT / "action.yml").read_text())
STEPS: dict[str, dict[str, Any]] = {step.get("name", "setup"): step for step in ACTION["runs"]["steps"]}
HOOKS: dict[str, dict[str, Any]] = {
    hook["id"]: hook for hook in yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())
}
PULL_REQUEST = 7
STUB = """#!/usr/bin/env bash
printf '%s\\n' "$*" >> "$CALLS/{name}"
{does}
"""
GH = """
case "$*" in *--paginate*) if [ -f "$CALLS/failing" ]; then echo 1; exit 1; fi; if [ -f "$CALLS/existing" ]; then cat "$CALLS/existing"; fi;;
  *body=@*) if [ -f "$CALLS/denied" ]; then exit 1; fi; file="${!#}"; cp "${file#body=@}" "$CALLS/body";; esac
"""

COSTSIM = """
while [ $# -gt 1 ]; do
  case "$1" in --out) echo "a report" > "$2";; --out=*) echo "a report" > "${1#--out=}";; esac
  shift
done
if [ -f "$CALLS/status" ]; then exit "$(cat "$CALLS/status")"; fi
"""

pytestmark = pytest.mark.skipif(not shutil.which("bash") or not shutil.which("git"), reason="needs bash and git")


def script(path: Path, text: str) -> None:
    path.write_text(text)
    path.chmod(0o755)


def git(folder: Path, *arguments: str) -> str:
    who = ["-c", "user.name=t", "-c", "user.email=t@example.com", "-c", "init.defaultBranch=main"]
    done = subprocess.run(["git", *who, *arguments], cwd=folder, check=True, capture_output=True, text=True)
    return done.stdout.strip()


@dataclass
class Job:
    """A workflow job in `repo` that uses the action: what a runner gives to its steps, and how they ended."""

    repo: Path
    temp: Path
    calls: Path
    path: str
    inputs: dict[str, str] = field(default_factory=dict)
    event: dict[str, str] = field(default_factory=dict)
    secrets: dict[str, str] = field(default_factory=dict)
    codes: dict[str, int] = field(default_factory=dict)
    printed: str = ""

    @property
    def context(self) -> dict[str, str]:
        given = {name: str(spec.get("default", "")) for name, spec in ACTION["inputs"].items()} | self.inputs
        known = {f"inputs.{name}": value for name, value in given.items()}
        return known | self.event | self.outputs | {
            "github.token": "secret-token", "github.action_path": "/actions/costsim", "github.repository": "acme/fleet",
        }  # fmt: skip

    @property
    def outputs(self) -> dict[str, str]:
        """What the steps with an id wrote, each into a file of its own."""
        files = {step["id"]: self.temp / f"output-{step['id']}" for step in STEPS.values() if "id" in step}
        lines = [
            (name, line) for name, file in files.items() if file.exists() for line in file.read_text().splitlines()
        ]
        parts = [(name, *line.partition("=")) for name, line in lines]
        return {f"steps.{name}.outputs.{key}": value for name, key, _, value in parts}

    def value(self, text: str) -> str:
        """Text with its expressions filled in; what is not known is empty, as on GitHub."""
        return re.sub(r"\$\{\{\s*([\w.-]+)\s*\}\}", lambda m: self.context.get(m[1], ""), text)

    def holds(self, condition: str) -> bool:
        """An `if:` of comparisons with texts, joined by &&."""
        inner = condition.removeprefix("${{").removesuffix("}}")
        parts = [re.fullmatch(r"\s*([\w.-]+) (==|!=) '([^']*)'\s*", part) for part in inner.split("&&")]
        assert all(parts), condition
        return all((self.context.get(p[1], "") == p[3]) is (p[2] == "==") for p in parts if p)

    def step(self, name: str) -> int:
        step = STEPS[name]
        (self.temp / "script.sh").write_text(step["run"])
        given = {key: self.value(str(value)) for key, value in step.get("env", {}).items()}
        runner = {
            "PATH": self.path, "HOME": os.environ.get("HOME", "/"), "CALLS": str(self.calls), "RUNNER_TEMP": str(self.temp),
            "GITHUB_OUTPUT": str(self.temp / f"output-{step.get('id', '')}"), "GITHUB_STEP_SUMMARY": str(self.temp / "summary"),
        }  # fmt: skip
        command = ["bash", "--noprofile", "--norc", "-eo", "pipefail", str(self.temp / "script.sh")]
        done = subprocess.run(
            command, check=False, cwd=self.repo, env=runner | self.secrets | given, capture_output=True, text=True
        )
        self.printed += done.stdout + done.stderr
        return done.returncode

    def run(self) -> dict[str, int]:
        """All steps of the action that run a script, until one fails."""
        for name, step in STEPS.items():
            if "run" in step and ("if" not in step or self.holds(step["if"])):
                self.codes[name] = self.step(name)
                if self.codes[name]:
                    break
        return self.codes

    def with_stub(self, status: int = 0) -> Job:
        """costsim is a stub too: quick, for what is about the steps and not about budgets."""
        script(self.calls.parent / "tools" / "costsim", STUB.format(name="costsim", does=COSTSIM))
        (self.calls / "status").write_text(str(status))
        return self

    def called(self, program: str) -> list[str]:
        file = self.calls / program
        return file.read_text().splitlines() if file.exists() else []

    @property
    def comment(self) -> str:
        return (self.calls / "body").read_text()


@pytest.fixture
def job(tmp_path: Path) -> Job:
    """A repository with the starter on main, a branch checked out, and the tools of a runner."""
    repo, temp, calls, tools = (tmp_path / name for name in ("repo", "temp", "calls", "tools"))
    for folder in (repo, temp, calls, tools):
        folder.mkdir()
    write_starter(repo)
    git(repo, "init", "-q")
    git(repo, "add", "-A")
    git(repo, "commit", "-qm", "Start")
    git(repo, "checkout", "-qb", "change")
    code = f"PYTHONPATH={shlex.quote(str(Path(costsim.__file__).parent.parent))}"  # this one, if another is installed
    script(tools / "costsim", f'#!/usr/bin/env bash\n{code} exec {shlex.quote(sys.executable)} -m costsim "$@"\n')
    script(tools / "python", STUB.format(name="python", does=""))
    script(tools / "gh", STUB.format(name="gh", does=GH))
    (temp / "summary").touch()
    return Job(repo, temp, calls, f"{tools}:{os.environ['PATH']}")


def pull_request(job: Job) -> Job:
    base = git(job.repo, "rev-parse", "main")
    number = str(PULL_REQUEST)
    job.event = {"github.event.pull_request.base.sha": base, "github.event.pull_request.number": number}
    return job


def breach(job: Job) -> None:
    """More tickets: over the budgets of the fleet and of the customers."""
    file = job.repo / "architecture.yaml"
    file.write_text(file.read_text().replace("poisson: 120}", "poisson: 300}"))


def test_a_push_within_budgets_passes_and_says_so_in_the_summary(job: Job) -> None:
    codes = job.run()
    assert codes == {"Install costsim": 0, "Check budgets": 0, "Judge": 0}, job.printed
    assert job.called("python") == ["-P -m pip install --disable-pip-version-check --quiet -- /actions/costsim"]
    assert job.called("gh") == []
    assert "all 3 budgets within; 2 other checks passed" in (job.temp / "summary").read_text()
    assert "::notice" in job.printed


def test_a_package_may_be_named_instead_of_the_actions_own_code(job: Job) -> None:
    job.inputs = {"package": "costsim==1.2"}
    job.step("Install costsim")
    assert job.called("python")[0].endswith(" costsim==1.2")


def test_a_breach_fails_the_job_after_the_comment_was_made(job: Job) -> None:
    breach(pull_request(job))
    codes = job.run()
    assert (codes["Check budgets"], codes["Comment on the pull request"], codes["Judge"]) == (0, 0, 1), job.printed
    assert job.outputs["steps.check.outputs.status"] == "1"
    assert "::error file=architecture.yaml,line=" in job.printed
    assert "customers" in job.comment
    assert job.comment.startswith("<!-- costsim -->\n")
    assert job.comment.index("costsim:diff") < job.comment.index(
        "costsim:check"
    )  # first what changes, then the budgets
    assert git(job.repo, "worktree", "list").count("\n") == 0  # the base's tree is gone again
    assert f"--method POST repos/acme/fleet/issues/{PULL_REQUEST}/comments" in job.called("gh")[1]


def test_a_breach_may_only_be_reported(job: Job) -> None:
    job.inputs = {"fail-on-breach": "false"}
    assert job.with_stub(status=1).run()["Judge"] == 0
    assert job.outputs["steps.check.outputs.status"] == "1"


def test_bad_input_fails_whatever_is_asked_for(job: Job) -> None:
    job.inputs = {"fail-on-breach": "false"}
    assert job.with_stub(status=2).run()["Judge"] == 2
    assert len(job.called("costsim")) == 1  # no annotations of what could not be read


def test_an_earlier_comment_is_updated_in_place(job: Job) -> None:
    (job.calls / "existing").write_text("111\n222\n")
    pull_request(job).with_stub().run()
    listing, update = job.called("gh")
    assert 'startswith("<!-- costsim -->")' in listing
    assert "select(.viewerDidAuthor and" in listing  # anybody can begin a comment with the marker
    assert "--method PATCH repos/acme/fleet/issues/comments/111 -F body=@" in update


@pytest.mark.parametrize(("bound", "code"), [("", 0), ("1", 1), ("10%", 1), ("1000000", 0)])
def test_an_architecture_that_is_new_costs_all_that_it_costs(job: Job, bound: str, code: int) -> None:
    git(job.repo, "mv", "architecture.yaml", "fleet.yaml")
    job.inputs = {"architecture": "fleet.yaml", "max-increase": bound}
    assert pull_request(job).run()["Judge"] == code, job.printed
    assert "| added |" in job.comment
    assert ("**FAILED**" in job.comment) == bool(code)


def test_a_file_that_is_named_as_the_base_does_not_stand_for_it(job: Job) -> None:
    git(job.repo, "mv", "architecture.yaml", "fleet.yaml")
    job.inputs = {"architecture": "fleet.yaml", "max-increase": "1"}
    pull_request(job)
    shutil.copy(job.repo / "fleet.yaml", job.repo / job.event["github.event.pull_request.base.sha"])
    assert job.run()["Judge"] == 1, job.printed


@pytest.mark.parametrize("written", ["{repo}/architecture.yaml", "./architecture.yaml", "fleet/../architecture.yaml"])
def test_an_architecture_is_compared_with_its_base_however_it_is_named(job: Job, written: str) -> None:
    (job.repo / "fleet").mkdir()
    job.inputs = {"architecture": written.format(repo=job.repo)}
    pull_request(job).with_stub().run()
    [compared] = [call for call in job.called("costsim") if call.startswith("diff")]
    assert compared.endswith(f"--file=architecture.yaml -- {job.event['github.event.pull_request.base.sha']}")


def test_a_store_that_is_not_committed_is_that_of_the_job_on_both_sides(job: Job) -> None:
    """Made by an earlier step, and ignored by git: nothing changed, so nothing costs more."""
    log = job.repo / "calls.csv"
    log.write_text("at,tokens,team\n" + "".join(f"2026-10-0{n}T10:00:00Z,1000,a\n" for n in range(1, 9)))
    mapping = parse_mapping("ts=at,input=tokens,team=team,component=:scanner,model=:anthropic/claude-haiku-4-5")
    with open_store(job.repo / "costsim.duckdb") as store:
        load(store, [log], mapping=mapping)
        bring_up_to_date(store, open_book())
    (job.repo / ".gitignore").write_text("*.duckdb\ncalls.csv\n")
    (job.repo / "logged.yaml").write_text(
        "name: logged\nmodel_routing: {m: anthropic/claude-haiku-4-5, fallback: anthropic/claude-haiku-4-5}\n"
        "components:\n  - {name: a, task: m, runs_per_day: 1, tokens: {from_usage: {store: costsim.duckdb, "
        "where: {component: scanner}}}}\n"
    )
    git(job.repo, "add", ".gitignore", "logged.yaml")
    git(job.repo, "commit", "-m", "logged")
    job.inputs = {"architecture": "logged.yaml"}
    pull_request(job).event["github.event.pull_request.base.sha"] = git(job.repo, "rev-parse", "HEAD")
    assert job.run()["Judge"] == 0, job.printed
    assert "no change in cost" in job.comment.lower()


def test_where_the_comments_cannot_be_listed_no_second_one_is_made(job: Job) -> None:
    (job.calls / "failing").touch()
    assert pull_request(job).with_stub().run()["Judge"] == 0
    assert len(job.called("gh")) == 2  # asked once more
    assert "::notice::costsim cannot list the comments here" in job.printed


def test_long_names_leave_the_verdict_in_the_comment(job: Job) -> None:
    """60 names of signs that are twenty times as long in Markdown."""
    file = job.repo / "architecture.yaml"
    file.write_text(file.read_text().replace("poisson: 120}", "poisson: 300}"))
    text = yaml.safe_load(file.read_text())
    text["components"] += [{**text["components"][0], "name": f"c{number}{'$' * 190}"} for number in range(60)]
    file.write_text(json.dumps(text))
    assert pull_request(job).run()["Judge"] == 1, job.printed
    assert "checks failed" in job.comment, job.comment[-3000:]
    assert job.comment.index("costsim:diff") < job.comment.index("costsim:check") < job.comment.index("**FAILED**")
    assert job.comment.endswith("\n")
    assert "more" in job.comment.split("costsim:check")[0]


def test_a_fork_whose_token_may_not_comment_still_gets_its_verdict(job: Job) -> None:
    (job.calls / "denied").touch()
    assert pull_request(job).with_stub().run()["Judge"] == 0
    assert "::notice::costsim may not comment here" in job.printed


def test_no_comment_is_made_where_none_is_wanted(job: Job) -> None:
    job.inputs = {"comment": "false"}
    assert "Comment on the pull request" not in pull_request(job).with_stub().run()
    assert job.called("gh") == []


def test_an_increase_beyond_the_bound_fails_and_is_still_commented(job: Job) -> None:
    file = job.repo / "architecture.yaml"
    file.write_text(file.read_text().replace("poisson: 120}", "poisson: 130}"))  # within the budgets
    job.inputs = {"max-increase": "1%"}
    codes = pull_request(job).run()
    assert (codes["Comment on the pull request"], codes["Judge"]) == (0, 1), job.printed
    assert (job.context["steps.check.outputs.status"], job.context["steps.diff.outputs.status"]) == ("0", "1")
    assert "costsim:diff" in job.comment


def test_a_webhook_is_called_once_by_the_name_of_its_variable(job: Job) -> None:
    job.inputs, job.secrets = {"notify": "FLEET_HOOK"}, {"FLEET_HOOK": "https://example.com/x"}
    job.with_stub().run()
    stated = [call for call in job.called("costsim") if "--notify" in call]
    assert stated == [
        f"check --format markdown --out {job.temp}/costsim-check.md --notify=FLEET_HOOK -- architecture.yaml"
    ]


def test_sarif_is_written_where_asked_and_then_uploaded(job: Job) -> None:
    job.inputs = {"sarif": "costsim.sarif"}
    job.with_stub().run()
    assert (job.repo / "costsim.sarif").exists()
    assert "check --format sarif --out=costsim.sarif -- architecture.yaml" in job.called("costsim")
    upload = STEPS["Upload to code scanning"]
    assert job.holds(upload["if"])
    assert job.value(upload["with"]["sarif_file"]) == "costsim.sarif"


@pytest.mark.parametrize("secrets", [{}, {"FLEET_HOOK": ""}])
def test_a_fork_that_gets_no_secrets_is_checked_and_nobody_notified(job: Job, secrets: dict[str, str]) -> None:
    job.inputs, job.secrets = {"notify": "FLEET_HOOK"}, secrets
    assert job.with_stub().run()["Judge"] == 0
    assert not [call for call in job.called("costsim") if "--notify" in call]
    assert "::notice::costsim notifies nobody" in job.printed


@pytest.mark.parametrize("name", ["x[$(touch pwned)]", "--help", "$(touch pwned)", "a\nb", "::error::x"])
def test_a_hostile_name_of_a_variable_is_no_variable(job: Job, name: str) -> None:
    job.inputs = {"notify": name}
    assert job.with_stub().run()["Judge"] == 0
    assert not list(job.repo.rglob("pwned*"))
    assert "::error::x" not in job.printed


@pytest.mark.parametrize(
    ("stated", "code"),
    [("false", 0), ("False", 0), ("true", 1), ("TRUE", 1), ("yes", 2), ("0", 2), ("", 2), ("x\n", 2)],
)
def test_a_breach_is_passed_over_only_where_that_is_said(job: Job, stated: str, code: int) -> None:
    """`yes`, or a slip of the pen, must not turn the budgets off."""
    job.inputs = {"fail-on-breach": stated}
    assert job.with_stub(status=1).run()["Judge"] == code


def test_a_base_that_cannot_be_fetched_is_one_clear_error(job: Job) -> None:
    job.event = {"github.event.pull_request.base.sha": "0" * 40, "github.event.pull_request.number": "7"}
    assert job.with_stub().run()["Compare with the base"] == 2
    assert "::error::costsim cannot get the base commit: give actions/checkout fetch-depth: 0" in job.printed


def test_a_report_of_an_earlier_use_in_the_job_is_not_commented_again(job: Job) -> None:
    for part in ("check", "diff"):
        (job.temp / f"costsim-{part}.md").write_text("of another architecture")
    job.with_stub(status=2).run()
    assert not list(job.temp.glob("costsim-*.md.*"))
    assert "of another architecture" not in "".join(file.read_text() for file in job.temp.glob("*.md"))


def test_an_architecture_named_as_an_option_is_a_file_that_is_not_there(job: Job) -> None:
    """`costsim check --help` would end with 0: within the budgets."""
    job.inputs = {"architecture": "--help"}
    assert job.run()["Judge"] == 2, job.printed
    assert "--help: there is no such file" in job.printed


@pytest.mark.parametrize(
    "name",
    ["a b.yaml", "$(touch pwned).yaml", "`touch pwned`.yaml", "x;touch pwned.yaml", "-x.yaml", "a\nb.yaml", "::error::x.yaml",
     "@everyone.yaml", "*.yaml", "'\".yaml", "%0A::error::x.yaml"],
)  # fmt: skip
def test_a_hostile_name_runs_nothing(job: Job, name: str) -> None:
    (job.repo / "architecture.yaml").rename(job.repo / name)
    job.inputs = {"architecture": name}
    assert pull_request(job).with_stub().run()["Judge"] == 0, job.printed
    assert not list(job.repo.rglob("pwned*"))
    assert "@everyone" not in job.comment  # the file is new at the base: its name is no mention
    assert "::error::x" not in job.printed


def test_nothing_is_put_into_a_script_but_by_its_environment() -> None:
    assert not [name for name, step in STEPS.items() if "${{" in step.get("run", "")]


def test_every_input_is_described_and_used() -> None:
    text = yaml.safe_dump(ACTION["runs"])
    assert [name for name in ACTION["inputs"] if f"inputs.{name} " not in text and f"inputs.{name}'" not in text] == []
    assert all(spec["description"].endswith(".") for spec in ACTION["inputs"].values())


# pre-commit


def hook(name: str, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a hook's entry as pre-commit does in its own environment, where `costsim` is installed."""
    given: list[str] = list(arguments) or HOOKS[name].get("args", [])
    program, *rest = [*shlex.split(HOOKS[name]["entry"]), *given]
    assert program == "costsim"
    command = [sys.executable, "-m", "costsim", *rest]
    return subprocess.run(
        command, check=False, cwd=folder, capture_output=True, text=True, env={**os.environ, "COLUMNS": "160"}
    )


@pytest.mark.slow
def test_the_check_hook_stops_a_breach(job: Job) -> None:
    breach(job)
    stopped = hook("costsim-check", job.repo)
    assert (stopped.returncode, "customers" in stopped.stdout) == (1, True)


@pytest.mark.slow
def test_the_lint_hook_finds_a_model_in_code(job: Job) -> None:
    (job.repo / "agent.py").write_text('MODEL = "claude-opus-4-6"\n')
    stopped = hook("costsim-lint", job.repo)
    assert stopped.returncode == 1
    assert "agent.py:1" in stopped.stdout


@pytest.mark.parametrize("file", ["architecture.yaml", "fleet/architecture.yml", "prices.yaml", "ops/budgets.yaml"])
def test_the_check_hook_looks_when_such_a_file_changes(file: str) -> None:
    assert re.search(HOOKS["costsim-check"]["files"], file)


@pytest.mark.parametrize("file", ["src/architecture.py", "notes/my-architecture.yaml"])
def test_the_check_hook_sleeps_when_other_files_change(file: str) -> None:
    assert not re.search(HOOKS["costsim-check"]["files"], file)


def test_the_hooks_have_what_pre_commit_needs() -> None:
    for hook_ in HOOKS.values():
        known: Mapping[str, Any] = hook_
        assert known.keys() <= {"id", "name", "description", "entry", "language", "files", "args", "pass_filenames"}
        assert known["language"] == "python"


@pytest.mark.slow
def test_installing_runs_no_module_of_the_repository(tmp_path: Path) -> None:
    """`python -m pip` would import the pip.py, json.py or typing.py of a pull request before pip's own."""
    for name in ("pip", "json", "typing", "sitecustomize"):
        (tmp_path / f"{name}.py").write_text("import pathlib; pathlib.Path('ran').touch()")
    line = str(STEPS["Install costsim"]["run"]).partition(" install ")[0].replace("python", shlex.quote(sys.executable))
    subprocess.run(["bash", "-c", f"{line} --version"], cwd=tmp_path, capture_output=True, check=False)
    assert not (tmp_path / "ran").exists()
    examples = Path(costsim.__file__).parent / "examples"
    assert "python -P -m pip" in (examples / "starter" / "github-workflow.yml").read_text()
