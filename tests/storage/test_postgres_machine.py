"""The store's state machines on PostgreSQL: the same rules and the same oracles as on SQLite, in fewer sequences."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine, run_state_machine_as_test
from postgres_server import PostgresServer
from test_store_machine import StoreMachine
from test_transaction_machine import TransactionMachine

from luma_bench.storage.catalog import database

FEW = settings(max_examples=3, stateful_step_count=12, deadline=None, suppress_health_check=list(HealthCheck))
MANY = settings(FEW, max_examples=100, stateful_step_count=30)


@pytest.mark.parametrize("machine", [StoreMachine, TransactionMachine])
@pytest.mark.parametrize("how", [FEW, pytest.param(MANY, marks=pytest.mark.slow)], ids=["few", "many"])
def test_the_store_is_the_same(
    postgres_server: PostgresServer,
    monkeypatch: pytest.MonkeyPatch,
    machine: type[RuleBasedStateMachine],
    how: settings,
) -> None:
    monkeypatch.setattr(database, "DEFAULT_CATALOG", postgres_server.url())
    run_state_machine_as_test(machine, settings=how)
    assert postgres_server.run("SELECT 1 FROM pg_locks WHERE locktype = 'advisory'") == []
