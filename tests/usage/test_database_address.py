"""Addresses of database servers are shown without their secrets, and what cannot be read is quoted nowhere."""

from __future__ import annotations

import pytest
from costsim.errors import CostsimError
from costsim.usage.database_address import database_address
from costsim.usage.engines.named import engine_of
from costsim.usage.postgres import origin_of


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("postgresql://me:hidden@db.internal/llm", "postgresql://db.internal/llm"),
        ("postgresql://me%40corp:hid%2Fden@DB.internal:6432/llm", "postgresql://db.internal:6432/llm"),
        ("postgresql://a:5432,b:5433/llm?target_session_attrs=any", "postgresql://a:5432,b:5433/llm"),
        ("postgres:///llm?host=/run/pg&port=5433&password=hidden", "postgresql:///run/pg:5433/llm"),
        ("postgresql://[::1]:5432/llm?user=me@corp", "postgresql://[::1]:5432/llm"),
    ],
)
def test_a_database_is_named_by_its_server_and_name_alone(address: str, shown: str) -> None:
    assert origin_of(address) == shown


@pytest.mark.parametrize("scheme", ["postgresql", "clickhouse"])
@pytest.mark.parametrize(
    "rest", ["me:hid/den@db/llm", "me:hid#den@db/llm", "me:hid?den@db/llm", "me:hid@den@db/llm", "me:hid%zzden@db/llm"]
)
def test_a_password_that_is_not_percent_encoded_is_said_without_quoting_it(scheme: str, rest: str) -> None:
    pytest.importorskip("psycopg" if scheme == "postgresql" else "clickhouse_connect")
    with pytest.raises(CostsimError, match="the address of the database cannot be read: a") as failed:
        engine_of(f"{scheme}://{rest}", "calls")
    assert not [part for part in ("hid", "den") if part in str(failed.value)]


def test_what_a_client_says_is_shown_without_the_password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGPASSWORD", "elsewhere")
    address = database_address("postgresql://me:hid%25den@db/llm?sslpassword=third")
    said = address.without_secrets("no: hid%25den, hid%den,\n elsewhere or third", ["PGPASSWORD"])
    assert said == "no: …, …, … or …"


@pytest.mark.parametrize(
    ("hosts", "first"), [("db", ("db", 0)), ("db:8443", ("db", 8443)), ("[::1]:9,b", ("::1", 9)), ("[::1]", ("::1", 0))]
)
def test_a_client_of_one_server_takes_the_first_host(hosts: str, first: tuple[str, int]) -> None:
    assert database_address(f"clickhouse://me@{hosts}/llm").first == first


def test_a_port_that_is_no_number_is_no_address() -> None:
    with pytest.raises(CostsimError, match="the address of the database cannot be read"):
        database_address("clickhouse://db:http/llm")
