"""The section `alerts`: who is told, and what each mistake says, without ever showing an address."""

from __future__ import annotations

from pathlib import Path

import pytest

from sheetsync.config.load import Config, load
from sheetsync.errors import ConfigError
from sheetsync.receivers import Alerting, Below, Mail, Receiver

HEAD = "tokportal: {api_key: k}\ntrackers:\n- {name: acme, spreadsheet: x, worksheet: T}\n"
SECRET = "s3cr3t"
ENVIRON = {"URL": f"https://hooks.example.com/{SECRET}", "PASSWORD": SECRET}
MAIL = "smtp://ana:s3cr3t@mail.example.com/?from=a@example.com&to=b@example.com"


def loaded(folder: Path, text: str, head: str = HEAD) -> Config:
    path = folder / "sheetsync.yaml"
    path.write_text(head + text)
    return load(path, ENVIRON)


def test_without(tmp_path: Path) -> None:
    """Nobody is told, with the defaults of the design."""
    assert loaded(tmp_path, "").alerting == Alerting({}, (), {}, (168, 72, 24, 0), Below(70), 3)
    assert loaded(tmp_path, "alerts:\n").alerting == Alerting()


def test_all_of_it(tmp_path: Path) -> None:
    """As text, from the environment, and as a mapping; names of owners whatever their case."""
    head = HEAD.replace("worksheet: T", 'worksheet: T, alerts: {to: ["https://own.example.com/x"]}')
    text = """alerts:
  owners: {" Ana  Blum": "${URL}"}
  to:
    - {host: mail.example.com, port: 465, user: ana, password: "${PASSWORD}", from: a@example.com, to: b@example.com}
    - smtp://an%40a:p%2Fw@mail.example.com:25/?from=a@example.com&to=b@example.com,c@example.com
    - smtp://localhost:25/?from=a@example.com&to=b@example.com&starttls=no
  ladder_hours: [48, 1]
  credits_below: 10 codes
  failing_runs: 5
"""
    alerting = loaded(tmp_path, text, head).alerting
    assert alerting.owners == {"ana blum": Receiver(ENVIRON["URL"])}
    assert alerting.of_tracker == {"acme": (Receiver("https://own.example.com/x"),)}
    sender, to = "a@example.com", ("b@example.com",)
    assert [receiver.mail for receiver in alerting.to] == [
        Mail("mail.example.com", sender, to, 465, "ana", SECRET),
        Mail("mail.example.com", sender, (*to, "c@example.com"), 25, "an@a", "p/w"),
        Mail("localhost", sender, to, 25, starttls=False),
    ]
    assert (alerting.ladder_hours, alerting.credits_below, alerting.failing_runs) == ((48, 1), Below(10, True), 5)
    assert SECRET not in repr(alerting)
    assert [receiver.label.partition(" (")[0] for receiver in alerting.receivers] == [
        *("mail to b@example.com", "mail to b@example.com, c@example.com"),
        *("https://own.example.com", "https://hooks.example.com"),
    ]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("to: https://x.y", "5: alerts.to: is a text; expected a list of receivers, or [] for none"),
        ("to: [s3cr3t]", "5: alerts.to[0]: is not an address; expected https://"),
        ("to: ['https://']", "5: alerts.to[0]: is not an address; expected https://"),
        ("to: ['https://x:s3cr3t']", "5: alerts.to[0]: is not an address; expected https://"),
        ("to: ['http://x.y/s3cr3t']", "5: alerts.to[0]: would be told in the clear; expected https://"),
        ("to: [[]]", "5: alerts.to[0]: is a list; expected a receiver: https://"),
        ("to: ['slack://s3cr3t']", "5: alerts.to[0]: is no https:// or smtp:// address; for those of apprise: pip"),
        ("to: ['smtp://:s3cr3t@x/?from=a@b']", "5: alerts.to[0]: is no mail address; expected smtp://"),
        ("to: ['smtp://x:y/?from=a@b&to=c@d']", "5: alerts.to[0]: is no mail address; expected smtp://"),
        ("to: ['smtp://x/?from=a@b&to=c@d&x=y']", "5: alerts.to[0]: is no mail address; expected smtp://"),
        ("to: ['smtp://x/?from=a@b&to=s3cr3t']", "5: alerts.to[0]: names what is no mail address under from or to"),
        ("to: ['smtp://u@x/?from=a@b&to=c@d']", "5: alerts.to[0]: has a user or a password alone"),
        ("to: ['smtp://x/?from=a@b&to=c@d&starttls=no']", "5: alerts.to[0]: would send mail in the clear"),
        ("to: [{host: x, from: a, to: c@d}]", "5: alerts.to[0]: names what is no mail address under from or to"),
        (
            "to: [{host: x, from: a@b, to: c@d, pass: s3cr3t}]",
            "5: alerts.to[0].pass: is not a known key; expected password?",
        ),
        ("to: [{from: a@b, to: c@d}]", "5: alerts.to[0].host: is missing; expected the mail server"),
        ("to: [{host: x, from: a@b, to: c@d, starttls: on}]", "5: alerts.to[0].starttls: 'on' is neither yes nor no"),
        (
            "to: [{host: x, from: a@b, to: c@d, port: 0}]",
            "5: alerts.to[0].port: '0' is out of bounds; expected 1 to 65535",
        ),
        ("owners: [Ana]", "5: alerts.owners: is a list; expected a mapping of names"),
        ("owners: {Ana: s3cr3t}", "5: alerts.owners.Ana: is not an address; expected https://"),
        ("owners: {Ana: {port: 1, from: a@b, to: [c@d]}}", "5: alerts.owners.Ana.host: is missing"),
        ("owners: {'https://s3cr3t': Ana}", "5: alerts.owners: has an address where a name is expected"),
        ("ladder_hours: [72, soon]", "5: alerts.ladder_hours[1]: 'soon' is not a whole number; expected hours"),
        ("ladder_hours: [9999]", "5: alerts.ladder_hours[0]: '9999' is out of bounds; expected 0 to 8760 hours"),
        (
            "credits_below: few",
            "5: alerts.credits_below: 'few' is no number of credits or codes; expected 70, or 10 codes",
        ),
        ("failing_runs: 0", "5: alerts.failing_runs: '0' is out of bounds; expected 1 to 1000 runs"),
        ("tos: []", "5: alerts.tos: is not a known key; expected to?"),
    ],
)
def test_mistakes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, problem: str) -> None:
    """Each with file, line and key, and without what may be a secret."""
    monkeypatch.setattr("sheetsync.config.addresses.find_spec", lambda name: None)
    with pytest.raises(ConfigError) as caught:
        loaded(tmp_path, f"alerts:\n  {text}\n")
    (told,) = caught.value.problems
    assert told.startswith(f"{tmp_path}/sheetsync.yaml:{problem}")
    assert SECRET not in told.removeprefix(str(tmp_path))


def test_of_a_tracker(tmp_path: Path) -> None:
    """Also within a tracker, on its own line."""
    head = HEAD.replace("worksheet: T}", "worksheet: T,\n   alerts: {to: [{host: x, from: a@b, to: [[]]}]}}")
    with pytest.raises(ConfigError) as caught:
        loaded(tmp_path, "", head)
    assert ":4: trackers[0].alerts.to[0].to[0]: is a list" in caught.value.problems[0]


def test_an_address_of_apprise(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Any other scheme, where it is installed; its label is the scheme, for even the host may be a token."""
    monkeypatch.setattr("sheetsync.config.addresses.find_spec", lambda name: object())
    (receiver,) = loaded(tmp_path, "alerts: {to: ['slack://s3cr3t/x']}").alerting.to
    assert receiver == Receiver("slack://s3cr3t/x")
    assert receiver.label == f"slack://... ({receiver.key[:4]})"
