"""`sheetsync ledger`: looking after what remembers: check, backup, export, copy, and rebuild after a loss.

Owns what these print. What is wrong with a file is `ledger/upkeep.py`'s to find, what can be restored
`sync/rebuild.py`'s.
"""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import click

from sheetsync.cli.options import Selection, selecting
from sheetsync.cli.plain import plain
from sheetsync.cli.render import count
from sheetsync.config.addresses import state_at
from sheetsync.config.load import variables_beside
from sheetsync.config.variables import Variables
from sheetsync.errors import ConfigError
from sheetsync.ledger import copying, upkeep
from sheetsync.plan.limits import CONFIRM
from sheetsync.state import State
from sheetsync.sync.clients import Clients
from sheetsync.sync.rebuild import Rebuilt, rebuild, refuse_to_rebuild
from sheetsync.sync.trackers import run_id_for


@click.group()
def ledger() -> None:
    """Look after the ledger: check, back up, export or copy it, and rebuild it after a loss.

    The ledger (`state:` in the configuration) remembers every ad code request, code and charge. Losing it costs
    nobody twice; but what TokPortal and the sheet do not tell is gone with it.
    """


@ledger.command()
@selecting()
def check(selection: Selection) -> None:
    """Look at every page of the file, and whether what it says fits together. Exit code 1 if something does not."""
    found = list(upkeep.findings(selection.load()[0].state))
    words = {True: "ok  ", False: "FAIL", None: "note"}
    click.echo(plain("\n".join(f"{words[is_fine]}  {line}" for is_fine, line in found)))
    sys.exit(1 if any(is_fine is False for is_fine, _ in found) else 0)


@ledger.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@selecting()
def backup(selection: Selection, file: Path) -> None:
    """Copy the ledger to FILE as it is at one moment, also while a run is at work.

    \b
    An existing FILE is left alone. From cron, every night:
      sheetsync ledger backup "/var/backups/sheetsync-$(date +%F).db"
    To restore: stop the runs, remove the state file with its -wal and -shm, and copy FILE to its place.
    A ledger on a server: sheetsync ledger copy postgresql://... FILE
    """
    upkeep.backup(selection.load()[0].state, file)
    click.echo(plain(f"{file}: written, and sound. It holds codes: keep it as private as the ledger."))


@ledger.command()
@selecting()
def export(selection: Selection) -> None:
    """Print all that happened, a JSON object a line: requests, orders, charges, events, runs.

    Codes are fingerprints there; `history` and `report` tell them in clear.
    """
    for line in upkeep.lines(selection.load()[0].state):
        click.echo(plain(line))


@ledger.command("copy")
@click.argument("source", metavar="FROM")
@click.argument("target", metavar="TO")
@selecting()
def copy_(selection: Selection, source: str, target: str) -> None:
    """Copy a whole ledger between a file and a PostgreSQL server, and compare the two.

    \b
    FROM and TO are a path or postgresql://user@host/database; TO must be empty. To move:
      stop the runs; sheetsync ledger copy state.db postgresql://...; change `state:`; start the runs
    Keep passwords out of the command line: ${NAME} in quotes is filled in as in the configuration (from the
    environment, or `.env` beside it), or PGPASSWORD, or ~/.pgpass. FROM is left as it is: let no run use it again.
    """
    variables = variables_beside(selection.path(), os.environ)
    copied = copying.copy(_state(source, variables), _state(target, variables))
    click.echo(
        plain(
            f"Both say the same: {count(copied['ad_code_request'], 'ad code request')}, "
            f"{count(copied['event'], 'event')}, {count(sum(copied.values()), 'row')} in all."
        )
    )


def _state(text: str, variables: Variables) -> State:
    filled, wrong = variables.fill(text)
    found = state_at(filled)
    if wrong or isinstance(found, str):
        raise ConfigError([*variables.problems, *(wrong or [f"the address {found}"])])
    return found


@ledger.command("rebuild")
@click.option("--confirm", is_flag=True, help="Nothing is missed: orders may be sent again.")
@selecting()
def rebuild_(selection: Selection, confirm: bool) -> None:
    """Make a lost ledger again of what the sheet and TokPortal tell. Orders nothing, changes no cell.

    It lists what cannot be restored. Until a person has looked through that and called it with --confirm, `sync` goes
    on fetching codes and holds every order. Exit code 1 if TokPortal did not tell of every video: call it again.
    """
    config, trackers = selection.load()
    with Clients(config) as clients:
        run_id = run_id_for(clients.clock.now())
        if confirm:
            held = [tracker.name for tracker in trackers if clients.ledger.known(tracker.name).is_rebuilt]
            for name in held:
                clients.ledger.recorder(name, run_id, clients.clock).rebuilt(is_confirmed=True)
            click.echo("Orders are sent again from the next sync on." if held else "Nothing was held, nothing changed.")
            return
        refuse_to_rebuild(clients.ledger, trackers)
        # all, before the first: what stops this half-way must not let the others order unseen
        for tracker in trackers:
            clients.ledger.recorder(tracker.name, run_id, clients.clock).rebuilt()
        answers = []
        for tracker in trackers:
            made = rebuild(tracker, clients.sheets, clients.portal, clients.ledger, clients.clock, run_id)
            click.echo(plain("\n".join(_told(made))))
            answers.append(made.unanswered)
    click.echo(_LOST)
    sys.exit(1 if any(answers) else 0)


def _told(made: Rebuilt) -> Iterator[str]:
    yield (
        f"tracker {made.tracker}: {count(made.videos, 'video')} asked about; restored "
        f"{count(made.requests, 'ad code request')} and {count(made.codes, 'code')}"
        + (f" ({made.told_by_rows} told by the sheet alone)" if made.told_by_rows else "")
        + (f", {count(made.opening, 'credit')} spent before as the sheet has it" if made.opening else "")
    )
    if made.price_lock:
        yield f"  orders stay locked by the price, as the Summary tab says: {made.price_lock}"
    if made.ordering:
        yield (
            f"  an order may have been on its way for {', '.join(made.ordering)}: what TokPortal shows of it is "
            "restored; compare these with its dashboard before you confirm"
        )
    if made.unanswered:
        yield f"  TokPortal did not tell of {', '.join(made.unanswered)}: run this again"


_LOST = f"""\
What neither the sheet nor TokPortal tells, and is gone:
  - requests before the latest one of a video, and their codes, where its row does not show them
  - what videos have cost whose rows are gone
  - orders without a clear answer, and the keys they were sent with
  - marks that were done and could not be cleared: look for marks that are not meant, and empty them
  - a locked price, if there is no Summary tab; which columns orders rested on, if they are gone from the sheet
  - events, corrections, approvals, pauses after refusals, and the list of runs
Codes are fetched as before. Orders wait until you have looked: {CONFIRM}"""
