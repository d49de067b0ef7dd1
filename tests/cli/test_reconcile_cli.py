"""`costsim reconcile` and `costsim load --role` as people use them: exit codes, formats, what is named first."""

from __future__ import annotations

import csv
import io
import json
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from witnessed import claude_log, litellm_log, truth, usage_page, written

if TYPE_CHECKING:
    from conftest import Run

pytestmark = pytest.mark.slow

TRUTH = truth()


@pytest.fixture
def loaded(costsim: Run, tmp_path: Path) -> Run:
    """A log without its first call, beside the usage page of all."""
    files = written(tmp_path, log=claude_log(TRUTH[1:]), page=usage_page(TRUTH))
    assert costsim("load", *files).code == 0
    return costsim


def test_a_difference_beyond_the_tolerance_is_exit_code_1_in_every_format(loaded: Run) -> None:
    assert "beyond 1%" in loaded("reconcile", "--month", "2026-10").out
    for name in ("table", "json", "csv", "markdown"):
        assert loaded("reconcile", "--format", name).code == 1
    assert loaded("reconcile", "--tolerance", "50%").code == 0
    assert loaded("reconcile", "--tolerance", "a bit").code == 2
    assert loaded("reconcile", "--by", "modle").code == 2


def test_rows_add_up_to_the_difference(loaded: Run) -> None:
    rows = list(csv.DictReader(io.StringIO(loaded("reconcile", "--by", "day,model,class", "-f", "csv").out)))
    whole = json.loads(loaded("reconcile", "-f", "json").out)["pairs"][0]
    assert sum(Decimal(row["difference_usd"]) for row in rows) == Decimal(whole["difference_usd"]) == TRUTH[0].usd
    assert sum(Decimal(usd) for usd in whole["parts"].values()) == TRUTH[0].usd


def test_a_store_of_one_source_has_nothing_to_compare(costsim: Run, tmp_path: Path) -> None:
    costsim("load", *written(tmp_path, log=claude_log(TRUTH)))
    outcome = costsim("reconcile")
    assert (outcome.code, "nothing to compare" in outcome.out) == (0, True)


def test_overlap_is_named_first_and_chosen_by_role(costsim: Run, tmp_path: Path) -> None:
    own_ids = litellm_log(TRUTH).replace("msg_01Truth", "litellm-call-")
    assert "OVERLAP" in costsim("load", *written(tmp_path, log=claude_log(TRUTH), gateway=own_ids)).out
    assert costsim("spend").out.startswith("OVERLAP: claude-code")
    assert costsim("load", "--role", "litellm=bill").code == 0
    assert "OVERLAP" not in costsim("spend").out
    assert costsim("load", "--role", "litellm=invoice").code == 2


def test_check_names_overlap_first_in_every_form(costsim: Run, tmp_path: Path) -> None:
    own_ids = litellm_log(TRUTH).replace("msg_01Truth", "litellm-call-")
    costsim("load", *written(tmp_path, log=claude_log(TRUTH), gateway=own_ids))
    (tmp_path / "budgets.yaml").write_text("budgets: [{name: month, usd: 0.01, owner: cfo}]\n")
    check = ("check", "--budgets", "budgets.yaml", "--usage", "--today", "2026-10-08")
    outcome = costsim(*check)
    assert outcome.code == 1
    assert outcome.out.startswith("OVERLAP: claude-code (")
    assert outcome.out.count("OVERLAP") == 1
    assert "--role litellm=bill" in outcome.out.partition("budget")[0].replace("\n", " ")
    found = json.loads(costsim(*check, "--format", "json").out)
    assert found["verdicts"][0]["rule"] == "overlap"
    [first, *_] = [line for line in costsim(*check, "--format", "markdown").out.splitlines() if line.startswith("- ")]
    assert first.startswith("- **OVERLAP**")
