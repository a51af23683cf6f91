"""The configuration file: what loads, and what each mistake says."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest

from sheetsync.authorizations import Access
from sheetsync.config import settings as config
from sheetsync.config.load import Config, default_path, load
from sheetsync.errors import ConfigError
from sheetsync.model import Tracker
from sheetsync.state import Server

ROOT = Path(__file__).parents[2]
KEY = {"TOKPORTAL_API_KEY": "tok_live_0123"}
TOKPORTAL = "tokportal:\n  api_key: ${TOKPORTAL_API_KEY}\n"
TRACKER = "  - name: acme\n    spreadsheet: 1abc\n    worksheet: Tracker\n"
TRACKERS = f"trackers:\n{TRACKER}"
SMALLEST = TOKPORTAL + TRACKERS

Load = Callable[..., Config]
Problems = Callable[..., list[str]]


@pytest.fixture(name="load_text")
def _load_text(tmp_path: Path) -> Load:
    """Loads a configuration from its text."""

    def load_text(text: str, environ: dict[str, str] = KEY) -> Config:
        path = tmp_path / "sheetsync.yaml"
        path.write_text(text)
        return load(path, environ)

    return load_text


@pytest.fixture
def problems(load_text: Load, tmp_path: Path) -> Problems:
    """The problems of a configuration, without the folder of the file."""

    def problems(text: str, environ: dict[str, str] = KEY) -> list[str]:
        with pytest.raises(ConfigError) as caught:
            load_text(text, environ)
        return [problem.replace(f"{tmp_path}/", "") for problem in caught.value.problems]

    return problems


def test_smallest_file_has_the_defaults_of_the_design(load_text: Load, tmp_path: Path) -> None:
    """A key, a name, a spreadsheet and a tab are enough; all else has a default."""
    loaded = load_text(SMALLEST)

    assert loaded.google == config.GoogleSettings.model_construct(
        credentials=None, api_url="https://sheets.googleapis.com"
    )
    assert loaded.tokportal == config.TokPortalSettings.model_construct(
        api_key="tok_live_0123", api_url="https://app.tokportal.com"
    )
    assert loaded.state == tmp_path / "state.db"
    assert loaded.trackers == (Tracker("acme", "1abc", "Tracker"),)
    assert loaded.run == config.RunSettings.model_construct(poll_seconds=120, max_seconds=270)
    assert loaded.path == tmp_path / "sheetsync.yaml"


def test_every_tracker_setting_is_taken_over(load_text: Load) -> None:
    """What the file says stands in the Tracker."""
    loaded = load_text(
        SMALLEST + "    authorization_days: 60\n    warn_hours: 48\n    max_orders_per_run: 5\n    keep_credits: 70\n"
        "    max_orders_at_sheet: 50\n"
        "    require: [client, campaign]\n    approve: []\n    columns:\n      video_id: TokPortal video\n"
        "    template:\n      groups: [owners, rights]\n"
    )

    assert loaded.trackers[0] == Tracker(
        *("acme", "1abc", "Tracker", 60, 48, 5, 70, ("client", "campaign"), (), {"video_id": "TokPortal video"}),
        groups=("owners", "rights"),
        max_orders_at_sheet=50,
    )


def test_a_gate_is_any_column_by_key_or_by_header(load_text: Load) -> None:
    """By the header that the sheet has, renamed ones too; what is no column of ours is one of the team's own."""
    loaded = load_text(
        SMALLEST + "    require: [Landing page, CREATOR  owner, Kunde, Client, contract]\n"
        "    approve: [Post live, Approval owner, Legal OK]\n    columns: {client: Kunde}\n"
    )

    assert loaded.trackers[0].require == ("landing_page", "creator_owner", "client", "Client", "contract")
    assert loaded.trackers[0].approve == ("post_live", "approval_owner", "Legal OK")


def test_example_loads_as_it_stands() -> None:
    """config.example.yaml needs nothing but TOKPORTAL_API_KEY."""
    loaded = load(ROOT / "config.example.yaml", KEY)

    assert loaded.trackers[0].name == "acme"
    assert loaded.google.credentials == ROOT / "service-account.json"


def test_example_explains_every_key_above_it() -> None:
    """Each key of the design stands in the example, right below a comment."""
    # what is stricter when it is named is left out in the example
    lines = re.sub("# (approve|groups):", r"\1:", (ROOT / "config.example.yaml").read_text()).splitlines()
    found = re.compile(r"(?: *- )? *([a-z_]+):")
    explained = [m[1] for above, line in pairwise(lines) if "# " in above and (m := found.match(line))]
    # a receiver may be a mapping: all of it is explained in one place
    mappings = "trackers.columns", "trackers.fill.columns", "trackers.fill.accounts", "alerts.to", "alerts.owners"
    mappings = *mappings, "trackers.alerts.to"
    expected = [
        key for name, section in config.SECTIONS.items() if name not in mappings for key in section.model_fields
    ]
    assert all(f"{key}: " in "\n".join(lines) for key in config.SECTIONS["alerts.to"].model_fields)

    assert sorted(explained) == sorted(expected)


def test_paths_are_relative_to_the_file(load_text: Load, tmp_path: Path) -> None:
    """Cron starts anywhere; the folder of the file decides."""
    loaded = load_text("google:\n  credentials: keys/g.json\nstate: /var/lib/s.db\n" + SMALLEST)

    assert loaded.google.credentials == tmp_path / "keys/g.json"
    assert loaded.state == Path("/var/lib/s.db")


def test_state_on_a_server(load_text: Load) -> None:
    """The address is kept as it is; printed, it shows no password."""
    url = "postgresql://me:geheim@db.example:5433/codes?sslmode=require&sslpassword=geheim"

    loaded = load_text(f"state: {url}\n" + SMALLEST)

    assert loaded.state == Server(url)
    assert str(loaded.state) == "postgresql://me@db.example:5433/codes?sslmode=require"
    assert "geheim" not in repr(loaded)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("postgresql://me:ge@heim@db.example/codes", "postgresql://me:ge%40heim@db.example/codes"),
        ("postgresql://me:ge%heim@db.example/codes", "postgresql://me:ge%25heim@db.example/codes"),
        ("postgresql://me:ge%40heim@db.example/codes", "postgresql://me:ge%40heim@db.example/codes"),
        ("PostgreSQL://me:geheim@db.example/codes", "postgresql://me:geheim@db.example/codes"),
        ("postgresql:///codes?host=/run/pg", "postgresql:///codes?host=/run/pg"),
    ],
)
def test_passwords_as_they_are(load_text: Load, written: str, meant: str) -> None:
    """PostgreSQL's own library would take the rest of one for a host, and name it."""
    loaded = load_text(f"state: {written}\n" + SMALLEST)

    assert loaded.state == Server(meant)
    assert "heim" not in str(loaded.state)
    assert all(secret not in str(loaded.state) for secret in loaded.state.secrets)


@pytest.mark.parametrize(
    ("url", "wrong"),
    [
        ("postgresql+psycopg://me:geheim@db.example/codes", "is no address of a PostgreSQL"),
        ("mysql://me:geheim@db.example/codes", "is no address of a PostgreSQL"),
        ("postgresql:/me:geheim@db.example/codes", "is no address of a PostgreSQL"),
        ("postgresql://me:geheim@db.example", "names no database"),
        ("postgresql://me:geheim@db.example:port/codes", "is not an address"),
        ("postgres://me:ge heim@db.example/codes", "names no database"),
        ("postgresql://me:gehe/im@db.example/codes", "is not an address"),
        ("postgresql://me:geheim@db.example/codes#x", "names no database"),
    ],
)
def test_state_on_no_server(load_text: Load, url: str, wrong: str) -> None:
    """What is wrong with an address is said without it: it may hold a password."""
    with pytest.raises(ConfigError) as caught:
        load_text(f"state: {url}\n" + SMALLEST)

    (problem,) = caught.value.problems
    assert re.match(rf".*:1: state: {wrong}; expected postgresql://", problem)
    assert "ge" not in problem.replace("postgresql://user@host:5432/database", "").rpartition("state:")[2]


def test_state_on_a_server_without_its_library(load_text: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    """Said with the configuration, and how to install it."""
    monkeypatch.setattr("sheetsync.config.addresses.find_spec", lambda name: None)

    with pytest.raises(ConfigError, match=r":1: state: .*pip install -c constraints.txt '.\[postgres\]'"):
        load_text("state: postgresql://me@db.example/codes\n" + SMALLEST)


def test_paths_are_absolute_although_the_file_was_named_relatively(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A later change of folder does not lose the ledger."""
    (tmp_path / "sheetsync.yaml").write_text(SMALLEST)
    monkeypatch.chdir(tmp_path)

    assert load(Path("sheetsync.yaml"), KEY).state == tmp_path / "state.db"


def test_home_folder_in_a_path(load_text: Load, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`~` is the home folder, as people expect."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))

    assert load_text("state: ~/s.db\n" + SMALLEST).state == tmp_path / "home/s.db"


def test_home_folder_of_nobody(problems: Problems) -> None:
    """A home folder that is not there is a mistake, not a folder called ~nobody."""
    assert problems("state: ~no-such-user/s.db\n" + SMALLEST) == [
        "sheetsync.yaml:1: state: '~no-such-user/s.db' begins with a home folder that is not known; "
        "expected another path"
    ]


@pytest.mark.parametrize(
    "text",
    [
        "1aB-c_9",
        "https://docs.google.com/spreadsheets/d/1aB-c_9/edit#gid=0",
        "https://docs.google.com/spreadsheets/d/1aB-c_9",
        "https://docs.google.com/spreadsheets/u/1/d/1aB-c_9/edit?usp=sharing",
        "https://docs.google.com/a/example.com/spreadsheets/d/1aB-c_9/edit",
        "http://127.0.0.1:8080/spreadsheets/d/1aB-c_9",
    ],
)
def test_spreadsheet_by_id_or_url(load_text: Load, text: str) -> None:
    """The id is found in whatever the browser's address bar shows."""
    assert load_text(SMALLEST.replace("1abc", text)).trackers[0].spreadsheet == "1aB-c_9"


@pytest.mark.parametrize("url", ["http://localhost:80", "http://127.8.9.1:1", "http://[::1]:5000", "https://x.test/a/"])
def test_loopback_may_use_plain_http(load_text: Load, url: str) -> None:
    """http:// is for this machine; a closing slash makes no difference."""
    assert load_text(f"google:\n  api_url: {url}\n" + SMALLEST).google.api_url == url.rstrip("/")


def test_yaml_of_1999_surprises_nobody(load_text: Load) -> None:
    """`on` and `1e3` are text, and 010 is ten."""
    loaded = load_text(SMALLEST.replace("Tracker", "on").replace("acme", "1e3") + "    warn_hours: 010\n")

    assert (loaded.trackers[0].worksheet, loaded.trackers[0].name, loaded.trackers[0].warn_hours) == ("on", "1e3", 10)


def test_trackers_may_share_settings_by_an_anchor(load_text: Load) -> None:
    """YAML's own way to say a thing once works."""
    twin = TRACKER.replace("acme", "beta").replace("Tracker", "B")
    loaded = load_text(SMALLEST + "    require: &fields [client]\n" + twin + "    require: *fields\n")

    assert [tracker.require for tracker in loaded.trackers] == [("client",), ("client",)]


def test_emptied_sections_count_as_left_out(load_text: Load) -> None:
    """Whoever comments out all keys of a section may leave its name."""
    loaded = load_text("google:\nrun: ~\n" + SMALLEST + "    columns:\n")

    assert loaded == load_text(SMALLEST)


def test_two_headers_may_change_places(load_text: Load) -> None:
    """A header that its own column has given up is free."""
    text = SMALLEST + "    columns: {client: Brand, brand: Client}\n"

    assert load_text(text).trackers[0].columns == {"client": "Brand", "brand": "Client"}


def test_repr_hides_the_key(load_text: Load) -> None:
    """No log or traceback shows the key."""
    assert "tok_live_0123" not in repr(load_text(SMALLEST))


@pytest.mark.parametrize("left_out", ["", "    tiktok:\n", "    tiktok: {access_token: , advertiser_id: }\n"])
def test_tiktok_is_asked_on_request(load_text: Load, left_out: str) -> None:
    """Without a token it is not, whatever else stands there."""
    assert load_text(SMALLEST + left_out).trackers[0].tiktok == Access()
    told = "    tiktok: {access_token: '${T}', advertiser_id: 7012345678901234567, api_url: http://127.0.0.1:8}\n"
    tracker = load_text(SMALLEST + told, {**KEY, "T": "tik_live_0123"}).trackers[0]
    assert tracker.tiktok == Access("tik_live_0123", "7012345678901234567", "http://127.0.0.1:8")
    assert "tik_live" not in repr(tracker)


@pytest.mark.parametrize(
    ("said", "wrong"),
    [
        (
            "access_token: a b",
            "access_token: holds spaces or characters beyond ASCII; expected the token as TikTok shows it",
        ),
        ("access_token: $TIKTOK", "access_token: is the name of a variable, not a key; expected ${NAME}, with braces"),
        ("advertiser_id: Acme", "advertiser_id: 'Acme' is no ad account's id; expected its digits"),
        (
            "api_url: http://tiktok.test",
            "api_url: 'http://tiktok.test' would send keys in the clear; expected https://",
        ),
        ("token: x", "token: is not a known key; expected one of access_token, advertiser_id, api_url"),
    ],
)
def test_what_tiktok_cannot_be_asked_with(problems: Problems, said: str, wrong: str) -> None:
    """Told like every other mistake; of the token nothing is repeated."""
    (problem,) = problems(SMALLEST + f"    tiktok: {{{said}}}\n")
    assert f"trackers[0].tiktok.{wrong}" in problem


@pytest.mark.parametrize(
    "setting", ["tokportal:\n  api_key: ${S} x", "run: {poll_seconds: ${S}}", "google: {api_url: ${S}}"]
)
def test_no_value_of_the_environment_is_told(load_text: Load, setting: str) -> None:
    """What a variable holds may be a key: no message, no error on the way there and no traceback shows it."""
    with pytest.raises(ConfigError) as caught:
        load_text(f"{setting}\n{TRACKERS}", {"S": "ftp://tok_live_0123"})
    told, error = "", caught.value
    while isinstance(error, BaseException):
        told += f"{error} {error!r}"
        error = error.__cause__ or error.__context__  # type: ignore[assignment]

    assert "tok_live" not in told


def test_an_anchor_that_holds_itself_is_a_mistake_like_others(problems: Problems) -> None:
    """YAML allows a list in itself; it is refused, not followed for ever."""
    assert problems(TOKPORTAL + "trackers: &all [*all]\n") == [
        "sheetsync.yaml:3: trackers[0]: is a list; expected a mapping, such as `name: ...`"
    ]


def test_help_does_without_the_checks() -> None:
    """`sheetsync --help` answers at once: what checks the settings is loaded with the settings."""
    script = "import sys, sheetsync.cli.main; print({'pydantic', 'dotenv', 'yaml'} & set(sys.modules))"

    assert subprocess.run([sys.executable, "-c", script], capture_output=True, text=True).stdout == "set()\n"


def test_default_path() -> None:
    """$SHEETSYNC_CONFIG, else ./sheetsync.yaml."""
    assert default_path({"SHEETSYNC_CONFIG": "/etc/s.yaml"}) == Path("/etc/s.yaml")
    assert default_path({}) == default_path({"SHEETSYNC_CONFIG": ""}) == Path("sheetsync.yaml")


def test_numbers_from_the_environment_stay_text(load_text: Load) -> None:
    """A key of digits keeps its zeros; only a whole-number setting makes a number of it."""
    loaded = load_text(SMALLEST + "    warn_hours: ${W}\n", {"TOKPORTAL_API_KEY": "0012345", "W": "24"})

    assert loaded.tokportal.api_key == "0012345"
    assert loaded.trackers[0].warn_hours == 24


def test_a_value_that_looks_like_a_variable_is_not_filled_in_again(load_text: Load) -> None:
    """Values are taken as they are."""
    loaded = load_text(SMALLEST.replace("Tracker", "a ${W} b ${W}"), {**KEY, "W": "${X}"})

    assert loaded.trackers[0].worksheet == "a ${X} b ${X}"


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("TOKPORTAL_API_KEY=abc", "abc"),
        ("  export TOKPORTAL_API_KEY = abc  # the key", "abc"),
        ("TOKPORTAL_API_KEY='a#b'", "a#b"),
        ('TOKPORTAL_API_KEY="a#b" # the key', "a#b"),
        ("TOKPORTAL_API_KEY=a#b=c", "a#b=c"),
        ("# TOKPORTAL_API_KEY=no\n\nTOKPORTAL_API_KEY=abc\r", "abc"),
    ],
)
def test_dotenv_beside_the_file_fills_in(load_text: Load, tmp_path: Path, line: str, value: str) -> None:
    """What the environment does not have is read from .env: NAME=value, quotes and comments allowed."""
    (tmp_path / ".env").write_text(line)

    assert load_text(SMALLEST, {}).tokportal.api_key == value


def test_environment_wins_over_dotenv(load_text: Load, tmp_path: Path) -> None:
    """The nearer setting wins, and then a broken .env does not matter."""
    (tmp_path / ".env").write_text("TOKPORTAL_API_KEY=other\n???\n")

    assert load_text(SMALLEST).tokportal.api_key == "tok_live_0123"


def test_dotenv_that_is_not_understood(problems: Problems, tmp_path: Path) -> None:
    """The line is named, not shown: it may hold a key."""
    (tmp_path / ".env").write_text("A=b\ntok_live_secret\nTOKPORTAL_API_KEY='open\n")

    found = problems(SMALLEST, {})
    assert found[:2] == [
        ".env:2: is not understood; expected NAME=value",
        ".env:3: is not understood; expected NAME=value",
    ]
    assert "secret" not in "".join(found)


def test_lines_of_dotenv_are_counted_with_the_empty_ones(problems: Problems, tmp_path: Path) -> None:
    """The line that is named is the one an editor shows."""
    (tmp_path / ".env").write_text("A=b\n\n\n???\n\nC='open\n")

    assert [text.split(": ")[0] for text in problems(SMALLEST, {})[:2]] == [".env:4", ".env:6"]


def test_variables_inside_dotenv_stay_as_they_are(load_text: Load, tmp_path: Path) -> None:
    """A key that holds a dollar sign is not filled in."""
    (tmp_path / ".env").write_text("A=b\nTOKPORTAL_API_KEY=k${A}$A\n")

    assert load_text(SMALLEST, {}).tokportal.api_key == "k${A}$A"


def test_dotenv_that_cannot_be_read(problems: Problems, tmp_path: Path) -> None:
    """A folder called .env is a problem among the others."""
    (tmp_path / ".env").mkdir()

    assert problems(SMALLEST, {})[0] == ".env: cannot be read (Is a directory); expected a UTF-8 text"


def test_variable_that_is_not_set(problems: Problems) -> None:
    """The message names the variable and both ways to set it."""
    assert problems(SMALLEST, {}) == [
        "sheetsync.yaml:2: tokportal.api_key: the environment variable TOKPORTAL_API_KEY is not set; "
        "expected `export TOKPORTAL_API_KEY=...`, or a line `TOKPORTAL_API_KEY=...` in .env"
    ]


def test_every_missing_variable_of_a_value_is_named(problems: Problems) -> None:
    """One try shows all, also within one value."""
    found = problems(SMALLEST.replace("Tracker", "${A} ${B}"))

    assert [name for name in ("A", "B") for text in found if f"variable {name} is not set" in text] == ["A", "B"]


@pytest.mark.parametrize("text", ["${}", "${A B}", "${OPEN", "x ${1}"])
def test_variable_without_a_name(problems: Problems, text: str) -> None:
    """`${` that names nothing is a slip, not a text."""
    [problem] = problems(SMALLEST.replace("worksheet: Tracker", f'worksheet: "{text}"'))

    assert "names no variable; expected ${NAME}" in problem


def test_missing_file_says_how_to_get_one(tmp_path: Path) -> None:
    """The first thing a newcomer meets tells the next two steps."""
    with pytest.raises(ConfigError, match=r"no such file.*`sheetsync sandbox`.*config\.example\.yaml"):
        load(tmp_path / "sheetsync.yaml", {})


def test_folder_instead_of_a_file(tmp_path: Path) -> None:
    """An unreadable file says why."""
    with pytest.raises(ConfigError, match=r"cannot be read \(Is a directory\)"):
        load(tmp_path, {})


def test_file_that_is_not_utf8(tmp_path: Path) -> None:
    """Bytes that are no text are refused."""
    (tmp_path / "c.yaml").write_bytes(b"a: \xff\xfe")
    with pytest.raises(ConfigError, match="it is not UTF-8"):
        load(tmp_path / "c.yaml", {})


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "sheetsync.yaml:1: the file is empty; copy config.example.yaml and fill it in"),
        ("# nothing\n", "sheetsync.yaml:1: the file is empty; copy config.example.yaml and fill it in"),
        ("- a\n", "sheetsync.yaml:1: the file is a list; expected `key: value` lines"),
        ("\ntok_live_1", "sheetsync.yaml:2: the file is a text; expected `key: value` lines"),
        ("a: b\nc: d: e\n", "sheetsync.yaml:2: this is not YAML: mapping values are not allowed here"),
        ("a: [b\n", "sheetsync.yaml:2: this is not YAML: expected ',' or ']', but got '<stream end>'"),
        ("a: b\x00", "sheetsync.yaml: this is not YAML: it holds a character that YAML does not allow"),
        (
            "a:\n\tb: c\n",
            "sheetsync.yaml:2: this is not YAML: found character '\\t' that cannot start any token; "
            "indent with spaces, not tabs",
        ),
    ],
)
def test_file_that_is_no_settings_file(problems: Problems, text: str, problem: str) -> None:
    """What cannot be walked is refused with its line, and without its content."""
    assert problems(text) == [problem]


def test_every_problem_at_once_in_the_order_of_the_file(problems: Problems) -> None:
    """One try shows all there is to mend."""
    text = "run:\n  poll_seconds: long\ntokportall: x\n" + TRACKERS + "    warn_hours: soon\n    colums: {}\n"

    assert problems(text) == [
        "sheetsync.yaml:1: tokportal.api_key: is missing; expected the API key, best as ${TOKPORTAL_API_KEY} with its "
        "value in .env",
        "sheetsync.yaml:2: run.poll_seconds: 'long' is not a whole number; expected seconds, for example 120",
        "sheetsync.yaml:3: tokportall: is not a known key; expected tokportal?",
        "sheetsync.yaml:8: trackers[0].warn_hours: 'soon' is not a whole number; expected hours, for example 72",
        "sheetsync.yaml:9: trackers[0].colums: is not a known key; expected columns?",
    ]


@pytest.mark.parametrize(
    ("setting", "expected"),
    [
        ("poll_seconds: 0", "run.poll_seconds: '0' is out of bounds; expected 1 to 3600 seconds"),
        ("max_seconds: 119", "run.max_seconds: '119' is out of bounds; expected 120 to 3600 seconds"),
        ("max_seconds: 3601", "run.max_seconds: '3601' is out of bounds; expected 120 to 3600 seconds"),
    ],
)
def test_a_run_has_time_to_do_something(problems: Problems, setting: str, expected: str) -> None:
    """No time to poll would serve no mark, and say nothing."""
    assert problems(f"{SMALLEST}run:\n  {setting}\n") == [f"sheetsync.yaml:8: {expected}"]


def test_who_watches_the_runs(load_text: Load, tmp_path: Path) -> None:
    """An address that may stand in the environment, and a path beside the file; a key without a value means nobody."""
    environ = {**KEY, "PING": "https://watch.example/5d1c?create=1"}
    loaded = load_text(f"{SMALLEST}run:\n  ping_url: ${{PING}}\n  metrics_file: s.prom\n", environ)
    nobody = load_text(f"{SMALLEST}run:\n  ping_url:\n  metrics_file: ~\n")

    assert (loaded.run.ping_url, loaded.run.metrics_file) == (environ["PING"], tmp_path / "s.prom")
    assert (nobody.run.ping_url, nobody.run.metrics_file) == (None, None)
    assert "5d1c" not in repr(loaded)


@pytest.mark.parametrize(
    ("setting", "expected"),
    [
        ("ping_url: 5d1c9a2e", "run.ping_url: is not an address; expected https://host"),
        ("ping_url: https://5d1c9a2e@x", "run.ping_url: has more than a host and a path; expected https://host"),
        (
            "ping_url: http://x/5d1c9a2e",
            "run.ping_url: would send keys in the clear; expected https:// (http:// is for 127.0.0.1 and localhost)",
        ),
        ("metrics_file: []", "run.metrics_file: is a list; expected a path, for example sheetsync.prom"),
    ],
)
def test_of_an_address_that_is_a_secret_nothing_is_repeated(problems: Problems, setting: str, expected: str) -> None:
    """Whoever has it can keep the alarm silent."""
    assert problems(f"{SMALLEST}run:\n  {setting}\n") == [f"sheetsync.yaml:8: {expected}"]


# Mistakes in one place: each line is added to the tracker of the smallest file, which ends on line 6


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("name: again", "name: stands twice (first on line 4); expected once"),
        ("zzz: 1", "zzz: is not a known key; expected one of name, spreadsheet, worksheet, authorization_days, "
         "warn_hours, max_orders_per_run, max_orders_at_sheet, keep_credits, require, approve, columns, template"),
        ("? [a]\n    : 1", "a list: is not a known key; expected one of name, "),
        ("authorization_days: 0", "authorization_days: '0' is out of bounds; expected 1 to 3650 days"),
        ("authorization_days: 3651", "authorization_days: '3651' is out of bounds; expected 1 to 3650 days"),
        ("warn_hours: 8761", "warn_hours: '8761' is out of bounds; expected 0 to 8760 hours"),
        ("warn_hours: 72.5", "warn_hours: '72.5' is not a whole number; expected hours, for example 72"),
        ("warn_hours: ٧٢", "warn_hours: '٧٢' is not a whole number; expected hours, for example 72"),
        ("warn_hours:", "warn_hours: is empty; expected hours, for example 72"),
        ("warn_hours: [72]", "warn_hours: is a list; expected hours, for example 72"),
        ("max_orders_per_run: 10001", "max_orders_per_run: '10001' is out of bounds; expected 0 to 10000 orders"),
        ("max_orders_at_sheet: -1", "max_orders_at_sheet: '-1' is out of bounds; expected 0 to 10000 orders"),
        ("keep_credits: -1", "keep_credits: '-1' is out of bounds; expected 0 to 1000000000 credits"),
        ("require: client", "require: is a text; expected a list such as [client, Landing page], or [] "),
        ("approve:", "approve: is empty; expected a list such as [caption_final, Legal OK], or [] for none"),
        ("require: [client, client]", "require[1]: 'client' stands twice; expected once"),
        ("require: [creator_owner, Creator Owner]", "require[1]: 'Creator Owner' stands twice; expected once"),
        ("require: [Our Ref, ' our  ref']", "require[1]: ' our  ref' stands twice; expected once"),
        ("require: [client, Kunde]\n    columns: {client: Kunde}", "require[1]: 'Kunde' stands twice; expected once"),
        ("require: [{}]", "require[0]: is a mapping; expected a column, by its key or its header"),
        ("approve: ['']", "approve[0]: is empty; expected a column, by its key or its header"),
        ("require: [spark_code]", "require[0]: 'spark_code' is written by sheetsync; expected a column that people "),
        ("approve: [Spark Code]", "approve[0]: 'Spark Code' is written by sheetsync; expected a column that people "),
        ("template: [rights]", "template: is a list; expected a mapping, such as `groups: ...`"),
        ("template: {group: []}", "template.group: is not a known key; expected groups?"),
        ("template: {groups: rights}", "template.groups: is a text; expected a list such as [campaign, owners], or "),
        ("template: {groups: }", "template.groups: is empty; expected a list such as [campaign, owners], or [] "),
        ("template: {groups: [right]}", "template.groups[0]: 'right' cannot stand here; expected rights?"),
        ("template: {groups: [{}]}", "template.groups[0]: is a mapping; expected the name of a group"),
        ("columns: [video_id]", "columns: is a list; expected a mapping, such as `video_id: ...`"),
        ("columns: {vidoe_id: X}", "columns.vidoe_id: is not a known key; expected video_id?"),
        ("columns: {client: ''}", "columns.client: is empty; expected the header as the sheet has it"),
        ("columns: {client: ' BRAND '}", "columns.client: ' BRAND ' is the header of brand too; expected a header "),
        ("columns: {client: X, brand: x}", "columns.brand: 'x' is the header of client too; expected a header of its "),
    ],
)  # fmt: skip
def test_mistake_in_a_tracker(problems: Problems, line: str, problem: str) -> None:
    """Each mistake is named by its line and key, with what is expected instead."""
    [found] = problems(f"{SMALLEST}    {line}\n")

    assert found.startswith(f"sheetsync.yaml:7: trackers[0].{problem}")


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("name: acme", "name: acme inc", "trackers[0].name: 'acme inc' cannot be a name; expected letters, digits, "),
        ("name: acme", "name: --json", "trackers[0].name: '--json' cannot be a name; expected letters, digits, "),
        ("name: acme", "name: ../x", "trackers[0].name: '../x' cannot be a name; expected letters, digits, "),
        ("1abc", "the id", "trackers[0].spreadsheet: 'the id' is no spreadsheet; expected its id, or the URL"),
        ("1abc", "https://x.test/spreadsheets/d/e/2PACX-1/pubhtml", "trackers[0].spreadsheet: 'https://x.test/"),
        ("1abc", "a" * 80 + "!", "trackers[0].spreadsheet: '" + "a" * 57 + "...' is no spreadsheet; "),
        ("worksheet: Tracker", "worksheet: ' '", "trackers[0].worksheet: is empty; expected the name of the tab, "),
        ("\n    worksheet: Tracker", "", "trackers[0].worksheet: is missing; expected the name of the tab, "),
        (TRACKER, "", "trackers: is empty; expected a list of at least one tracker"),
        (TRACKERS, "", "trackers: is missing or empty; expected a list of at least one tracker"),
        ("trackers:\n" + TRACKER, "trackers: []", "trackers: is missing or empty; expected a list of at least one"),
        ("trackers:\n" + TRACKER, "trackers: {a: b}", "trackers: is a mapping; expected a list of at least one"),
        ("trackers:\n" + TRACKER, "trackers: [acme]", "trackers[0]: is a text; expected a mapping, such as `name: "),
        ("${TOKPORTAL_API_KEY}", "$TOKPORTAL_API_KEY", "tokportal.api_key: is the name of a variable, not a key; "),
        ("${TOKPORTAL_API_KEY}", "tok live", "tokportal.api_key: holds spaces or characters beyond ASCII; expected "),
        ("${TOKPORTAL_API_KEY}", "schlüssel", "tokportal.api_key: holds spaces or characters beyond ASCII; expected "),
        ("${TOKPORTAL_API_KEY}", "", "tokportal.api_key: is empty; expected the API key, best as ${TOKPORTAL_API_KEY}"),
    ],
)  # fmt: skip
def test_mistake_in_what_is_needed(problems: Problems, old: str, new: str, problem: str) -> None:
    """What has no default is checked as strictly."""
    found = [re.sub(r"^sheetsync.yaml:\d+: ", "", text) for text in problems(SMALLEST.replace(old, new))]

    assert found[0].startswith(problem)


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("http://app.tokportal.com", "would send keys in the clear; expected https://"),
        ("http://127.0.0.1.example.com", "would send keys in the clear; expected https://"),
        ("app.tokportal.com", "is not an address; expected https://host"),
        ("ftp://example.com", "is not an address; expected https://host"),
        ("https://", "is not an address; expected https://host"),
        ("https://[::1", "is not an address; expected https://host"),
        ("https://example.com:99999", "is not an address; expected https://host"),
    ],
)
def test_address_that_would_not_do(problems: Problems, url: str, problem: str) -> None:
    """Keys go over https, to a host that is plainly named."""
    [found] = problems(SMALLEST.replace("tokportal:\n", f'tokportal:\n  api_url: "{url}"\n'))

    assert found.startswith(f"sheetsync.yaml:2: tokportal.api_url: '{url}' {problem}")


@pytest.mark.parametrize("section", ["google", "tokportal", "trackers[0].tiktok"])
@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("http://localhost@example.com", "has more than a host and a path"),
        ("https://ada:s3cret@example.com", "has more than a host and a path"),
        ("https://ada:s3cret @example.com", "is not an address"),
        ("ftp://ada:s3cret@example.com", "is not an address"),
        ("https://example.com/?token=s3cret", "has more than a host and a path"),
    ],
)
def test_address_with_a_secret(problems: Problems, section: str, url: str, problem: str) -> None:
    """It is not repeated."""
    given = f'api_url: "{url}"'
    text = {
        "google": f"google:\n  {given}\n{SMALLEST}",
        "tokportal": SMALLEST.replace("tokportal:\n", f"tokportal:\n  {given}\n"),
        "trackers[0].tiktok": SMALLEST.replace(
            "    worksheet:", f"    tiktok: {{access_token: x, {given}}}\n    worksheet:"
        ),
    }[section]
    [found] = problems(text)
    assert re.fullmatch(rf"sheetsync\.yaml:\d+: {re.escape(section)}\.api_url: {problem}; expected https://host", found)


def test_tokportal_address_with_the_path_of_the_calls(problems: Problems) -> None:
    """The API page's base path is a likely slip: corrections are sent outside it."""
    assert problems(SMALLEST.replace("tokportal:\n", "tokportal:\n  api_url: https://x.test/api/ext/\n")) == [
        "sheetsync.yaml:2: tokportal.api_url: ends with /api/ext; expected the address without it"
    ]


@pytest.mark.parametrize(
    ("setting", "wrong"),
    [
        (
            "api_url: http://host/api/ext",
            ["'http://host/api/ext' would send keys in the clear; ", "ends with /api/ext; "],
        ),
        ("api_key: $MY KEY", ["holds spaces or characters beyond ASCII; ", "is the name of a variable, not a key; "]),
    ],
)
def test_two_mistakes_in_one_value(problems: Problems, setting: str, wrong: list[str]) -> None:
    """Mending one would only bring the other to light in the next try."""
    found = problems(f"tokportal:\n  {setting}\n{TRACKERS}")
    about = f"sheetsync.yaml:2: tokportal.{setting.partition(':')[0]}: "

    assert [text.partition(about)[2].partition("expected")[0] for text in found if about in text] == wrong


def test_section_that_is_a_text_does_not_show_it(problems: Problems) -> None:
    """A key that was written one level too high stays out of the log."""
    found = problems("tokportal: tok_live_secret\n" + TRACKERS)

    assert found[0] == "sheetsync.yaml:1: tokportal: is a text; expected a mapping, such as `api_key: ...`"
    assert "secret" not in "".join(found)


def test_credentials_that_are_empty(problems: Problems) -> None:
    """`credentials:` without a value may be a slip: leaving it out is how to ask for the default credentials."""
    assert problems("google:\n  credentials:\n" + SMALLEST) == [
        "sheetsync.yaml:2: google.credentials: is empty; expected a path, for example service-account.json"
    ]


def test_two_trackers_with_one_name(problems: Problems) -> None:
    """The name stands in file names, which may not tell Acme from acme."""
    assert problems(SMALLEST + TRACKER.replace("acme", "Acme").replace("Tracker", "B")) == [
        "sheetsync.yaml:7: trackers[1].name: 'Acme' is the name of trackers[0] too; expected a name of its own"
    ]


def test_values_that_are_not_known_are_not_compared(problems: Problems) -> None:
    """Two tabs named by a variable that is not set are two missing variables, not one tab twice."""
    text = SMALLEST.replace("Tracker", "Tab ${TAB}")
    found = problems(text + TRACKER.replace("acme", "beta").replace("Tracker", "Tab ${TAB}"))

    assert [re.findall(r":(\d+): .* TAB is not set", each) for each in found] == [["6"], ["9"]]


@pytest.mark.parametrize("tab", ["tracker", "Tracker ", " TRACKER"])
def test_two_trackers_on_one_tab(problems: Problems, tab: str) -> None:
    """Two trackers on one tab would write each other's cells, whichever way spreadsheet and tab are named."""
    other = TRACKER.replace("acme", "b").replace("1abc", "https://x.test/spreadsheets/d/1abc")

    assert problems(SMALLEST + other.replace("Tracker", f"'{tab}'")) == [
        f"sheetsync.yaml:9: trackers[1].worksheet: '{tab}' is the tab of trackers[0] too; "
        "expected one tracker for each tab"
    ]
