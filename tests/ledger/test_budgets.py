"""The calls a minute that several processes share: never beyond the limit, however the service counts, and used up."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from bisect import bisect_left
from collections.abc import Sequence

import pytest
from support import postgres

from sheetsync.budget import waited
from sheetsync.clock import Clock
from sheetsync.errors import Unavailable
from sheetsync.ledger.budgets import GOOD_FOR, WINDOW, Budgets, Leases, lease
from sheetsync.state import Server

MINUTE = 60.0
ASKING = """
import sys
from sheetsync.clock import Clock
from sheetsync.budget import waited
from sheetsync.ledger.budgets import Budgets
from sheetsync.state import Server

url, seconds, clock = sys.argv[1], float(sys.argv[2]), Clock()
budget = Budgets(Server(url)).of("tokportal", "key", 120, 2)
until = clock.monotonic() + seconds
while not waited(budget, clock, until - clock.monotonic()):
    print(clock.monotonic())
"""


def most_in_a_minute(used: Sequence[float]) -> int:
    """The largest number of calls that any minute holds."""
    return max(index + 1 - bisect_left(used, at - MINUTE) for index, at in enumerate(used))


@pytest.mark.parametrize(("limit", "reserve"), [(120, 2), (60, 0)])
@pytest.mark.parametrize("askers", [1, 3, 12])
def test_no_minute_holds_more_than_the_limit(limit: int, reserve: int, askers: int) -> None:
    """Ten minutes of askers who never have enough, whose calls leave late: within 5 % of the limit, never beyond."""
    chance = random.Random(limit * askers)
    leases: Leases = ()
    used: list[float] = []
    waking = [chance.random() for _ in range(askers)]
    while (now := min(waking)) < 10 * MINUTE:
        who = waking.index(now)
        found = lease(leases, now, limit, reserve)
        leases = found.leases
        used += [now + chance.random() * GOOD_FOR] * found.is_given
        waking[who] = now + found.wait + 0.01 * chance.random()
    used.sort()
    assert most_in_a_minute(used) <= limit
    steady = [at for at in used if at >= MINUTE]
    assert len(steady) >= 0.95 * limit * 9


def test_nobody_who_comes_late_waits_for_a_minute() -> None:
    """Where all is taken, calls come back one by one: an order's is there within seconds, from the reserve at once."""
    leases: Leases = ()
    longest = now = 0.0
    while now < 5 * MINUTE:
        found = lease(leases, now, 120, 2)
        leases = found.leases
        longest = max(longest, found.wait)
        now += found.wait or 0.001
    assert longest < 2
    assert lease(leases, now, 120, 0).is_given or lease(leases, now, 120, 0).wait < 2


def test_a_clock_that_is_set_back_holds_nobody_up(server: Server) -> None:
    """By six hours, when much is taken: what was given counts as given now, and a minute later no more."""
    budgets, ahead = Budgets(server), Budgets(server)
    budget = budgets.of("google reads", "an account", 60)
    assert [budget.ask() for _ in range(30)] == [0.0] * 30
    connection = budgets._connected()
    ((kept,),) = connection.execute("SELECT leases FROM shared_budget").fetchall()
    connection.execute("UPDATE shared_budget SET leases = %s", (json.dumps([at + 21600 for at in json.loads(kept)]),))
    wait = ahead.of("google reads", "an account", 60).ask()
    ((now,),) = connection.execute("SELECT leases FROM shared_budget").fetchall()
    for each in (budgets, ahead):
        each.close()
    leases = json.loads(now)
    assert 0 < wait < 10
    assert len(leases) == 30
    assert len(lease(leases, max(leases) + WINDOW, 60).leases) == 1


def measured(server: Server, seconds: float, processes: int = 2) -> list[float]:
    """When each call was taken by several processes at once."""
    command = [sys.executable, "-c", ASKING, server.url, str(seconds)]
    asking = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(processes)]
    return sorted(float(line) for process in asking for line in process.communicate(timeout=seconds + 60)[0].split())


def test_two_processes_share_one_budget(server: Server) -> None:
    """Half of it at once, then at the pace of the rest: not twice of anything."""
    used = measured(server, 6)
    assert 60 <= len(used) <= 60 + 8


@pytest.mark.long
def test_two_processes_use_the_whole_budget_and_no_more(server: Server) -> None:
    """Three minutes of two processes who never have enough."""
    used = measured(server, 3 * MINUTE)
    print(f"{len(used)} calls in three minutes, {most_in_a_minute(used)} in the fullest minute")
    assert most_in_a_minute(used) <= 120
    assert len([at for at in used if at >= used[0] + MINUTE]) >= 0.95 * 2 * 120


def test_accounts_have_budgets_of_their_own_and_stand_there_as_fingerprints(server: Server) -> None:
    """No key and no address reaches the database."""
    budgets = Budgets(server)
    for whose in ("key one", "key two"):
        budget = budgets.of("tokportal", whose, 120)
        assert [budget.ask() for _ in range(60)] == [0.0] * 60
        assert budget.ask() > 0
    names = budgets._connected().execute("SELECT name FROM shared_budget").fetchall()
    budgets.close()
    assert len(names) == 2
    assert not [name for (name,) in names if "key" in name.removeprefix("tokportal")]


@pytest.mark.long
def test_an_order_goes_before_polls(server: Server) -> None:
    """The last calls are left for what changes something."""
    budgets = Budgets(server)
    polls = budgets.of("tokportal", "key", 4, 2)
    taken = [polls.ask() for _ in range(4)]
    assert taken[:2] == [0.0, 0.0]
    assert taken[3] > 1
    assert polls.ask(goes_first=True) == 0.0 or waited(polls, Clock(), 40, goes_first=True) == 0.0
    budgets.close()


def test_a_connection_that_was_cut_is_made_anew(server: Server) -> None:
    """Nothing is said of it, and what was taken before still counts."""
    budgets = Budgets(server)
    budget = budgets.of("tokportal", "key", 4)
    assert [budget.ask(), budget.ask()] == [0.0, 0.0]
    postgres.told(f"SELECT pg_terminate_backend({budgets._connected().info.backend_pid}, 5000)")
    assert budget.ask() > 1
    budgets.close()


def test_without_the_database_no_call_is_made() -> None:
    """And the message shows no password."""
    budgets = Budgets(Server("postgresql://user:secret@127.0.0.1:1/nowhere"))
    with pytest.raises(Unavailable, match="without it no call") as told:
        budgets.of("tokportal", "key", 120).ask()
    assert "secret" not in str(told.value)
