"""Proxies and private certificate authorities: both clients do as the environment says, and loopback as nobody says."""

from __future__ import annotations

import json
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from support.command_line import Desk
from support.office_proxy import HOSTS, OfficeProxy, office_proxy

VARIABLES = ("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "NO_PROXY", "SSL_CERT_FILE", "SSL_CERT_DIR")
REAL = {"google": "https://sheets.googleapis.com", "tokportal": "https://app.tokportal.com"}


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch, desk: Desk) -> None:
    """The environment of the machine that runs the tests decides nothing."""
    for name in (*VARIABLES, "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    # nobody waits for attempts that come to nothing
    for module in ("sheet.api", "tokportal.client"):
        monkeypatch.setattr(f"sheetsync.{module}.ATTEMPTS", 1)


@pytest.fixture
def office(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Iterator[OfficeProxy]:
    """A configuration that names the real services, on a machine whose only way out is the proxy."""
    key = desk.config.parent / "service-account.json"
    info = json.loads(key.read_text())
    key.write_text(json.dumps({**info, "token_uri": "https://oauth2.googleapis.com/token"}))
    desk.edit(f"api_url: {desk.server.url}", "api_url: https://sheets.googleapis.com")
    text = desk.config.read_text()
    google, _, tokportal = text.partition("tokportal:")
    tokportal = tokportal.replace("https://sheets.googleapis.com", "https://app.tokportal.com")
    desk.config.write_text(f"{google}tokportal:{tokportal}")
    here = urlsplit(desk.server.url)
    with office_proxy(desk.config.parent, (str(here.hostname), here.port or 0)) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        yield proxy


@pytest.mark.parametrize("name", ["SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"])
def test_a_proxy_with_an_authority_of_its_own(
    desk: Desk, office: OfficeProxy, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """The token, the sheet and TokPortal: all of a run goes through it, and comes to its end."""
    monkeypatch.setenv(name, str(office.authority))
    result = desk.run("sync")
    assert result.exit_code == 0, result.output
    assert {f"{host}:443" for host in HOSTS} <= set(office.asked)
    assert desk.cell(0, "Status") == "pending"


def test_the_one_name_goes_before_the_other(desk: Desk, office: OfficeProxy, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both libraries then trust the same."""
    monkeypatch.setenv("SSL_CERT_FILE", str(office.authority))
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(desk.config))
    assert desk.run("sync").exit_code == 0


def test_an_authority_that_nobody_named(desk: Desk, office: OfficeProxy) -> None:
    """No call goes through to anybody; both say what to set."""
    result = desk.run("doctor")
    assert result.exit_code == 1
    said = "if a proxy with certificates of its own stands in between, name the file of its authority (PEM) in the"
    for service in ("sheet 'sample': Google's token service at ", "TokPortal: No connection to TokPortal"):
        (line,) = [line for line in result.stdout.splitlines() if line.startswith(f"FAIL  {service}")]
        assert line.endswith(f"Its certificate is not trusted here: {said} environment, as SSL_CERT_FILE.")
    assert desk.world.calls == []


def test_a_proxy_that_refuses(desk: Desk, office: OfficeProxy) -> None:
    office.says = "407 Proxy Authentication Required"
    lines = [line for line in desk.run("doctor").stdout.splitlines() if line.startswith("FAIL")]
    assert len(lines) == 2
    assert all(line.endswith("The proxy that HTTPS_PROXY names did not let the call through.") for line in lines)


@pytest.mark.parametrize("name", ["SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"])
@pytest.mark.parametrize("file", ["", "none.pem", "sheetsync.yaml"])
def test_a_file_of_authorities_that_is_none(
    desk: Desk, office: OfficeProxy, monkeypatch: pytest.MonkeyPatch, name: str, file: str
) -> None:
    """Named with the variable, before anything is sent: there is no falling back to others."""
    path = desk.config.parent / file
    monkeypatch.setenv(name, str(path))
    result = desk.run("sync")
    assert result.exit_code == 2
    assert f"{name}: {path} is no file of certificates (PEM)" in result.stderr
    assert office.asked == []


@pytest.mark.parametrize("proxy", ["socks5://127.0.0.1:9", "127.0.0.1:9:9"])
def test_a_proxy_of_another_kind(desk: Desk, office: OfficeProxy, monkeypatch: pytest.MonkeyPatch, proxy: str) -> None:
    monkeypatch.setenv("HTTPS_PROXY", proxy)
    result = desk.run("sync")
    assert result.exit_code == 2
    assert "HTTPS_PROXY, HTTP_PROXY or ALL_PROXY: expected http://host:port or https://host:port" in result.stderr


def test_the_doctor_names_a_proxy_of_another_kind(
    desk: Desk, office: OfficeProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """For Google as for TokPortal, and the ledger is looked at all the same; the address may hold a password."""
    monkeypatch.setenv("HTTPS_PROXY", "socks5://ada:s3cret@127.0.0.1:9")
    result = desk.run("doctor")
    assert result.exit_code == 2
    wrong = "HTTPS_PROXY, HTTP_PROXY or ALL_PROXY: expected http://host:port or https://host:port\n"
    assert f"FAIL  sheet 'sample': {wrong}" in result.stdout
    assert f"FAIL  TokPortal: {wrong}" in result.stdout
    assert "ok    ledger: " in result.stdout
    assert "s3cret" not in result.output


def test_loopback_goes_through_no_proxy(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the environment says, and though it names no exception; nor is another authority asked for it."""
    here = urlsplit(desk.server.url)
    with office_proxy(desk.config.parent, (str(here.hostname), here.port or 0)) as proxy:
        for name in VARIABLES[:3]:
            monkeypatch.setenv(name, proxy.url)
            monkeypatch.setenv(name.lower(), proxy.url)
        monkeypatch.setenv("SSL_CERT_FILE", str(desk.config.parent / "none.pem"))
        assert desk.run("sync").exit_code == 0
    assert (proxy.asked, proxy.plain) == ([], [])
