"""The page in a real browser, where there is one: what a newcomer does there, with sheetsync at work beside it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from support.browser import driven
from support.command_line import Desk, sample_desk

from sheetsync.sandbox import people, sample
from sheetsync.sandbox.google.grid import Sheet

KEYS = {"enter": "\ue007", "tab": "\ue004", "esc": "\ue00c", "f2": "\ue032", "f10": "\ue03a", "delete": "\ue017"}
KEYS |= {"left": "\ue012", "up": "\ue013", "right": "\ue014", "down": "\ue015", "home": "\ue011", "space": " "}
HELD = {"shift": "\ue008", "ctrl": "\ue009", "alt": "\ue00a"}


class Page:
    """Somebody before the page, and the sandbox behind it."""

    def __init__(self, desk: Desk, driver: Any) -> None:
        self.desk, self.driver = desk, driver
        self.sheet: Sheet = desk.book.sheet(sample.TAB)
        driver.get(desk.server.url)

    def find(self, css: str) -> Any:
        return self.driver.find_element("css selector", css)

    def text(self, css: str) -> str:
        """What it says; read in one go, for the page may be drawn anew at any moment."""
        return str(self.run("document.querySelector(arguments[0])?.innerText", css))

    def run(self, script: str, *arguments: Any) -> Any:
        return self.driver.execute_script("return " + script, *arguments)

    def button(self, text: str) -> None:
        """Clicks the first button, or summary, that says this."""
        said = f"//*[self::button or self::summary][starts-with(., '{text}')]"
        patiently(lambda: self.driver.find_element("xpath", said).click())

    def keys(self, *keys: str) -> None:
        """`ctrl+z`, `enter`, or text: to whatever has the focus."""
        actions = self.action()
        for key in keys:
            *held, last = key.split("+") if len(key) > 1 else [key]
            for name in held:
                actions.key_down(HELD[name])
            actions.send_keys(KEYS.get(last, last))
            for name in held:
                actions.key_up(HELD[name])
        actions.perform()

    def action(self) -> Any:
        from selenium.webdriver import ActionChains

        return ActionChains(self.driver, duration=20)

    def row(self, creator: str) -> int:
        return next(n for n, line in enumerate(self.sheet.table()) if creator in line)

    def column(self, header: str) -> int:
        return people.column_of(self.sheet, header)

    def value(self, creator: str, header: str) -> Any:
        with self.desk.server.lock:
            return self.sheet.value(self.row(creator), self.column(header))

    def place(self, creator: str, header: str) -> str:
        return f'.grid td[data-r="{self.row(creator)}"][data-c="{self.column(header)}"]'

    def cell(self, creator: str, header: str) -> Any:
        return self.find(self.place(creator, header))

    def click(self, creator: str, header: str, right: int = 0) -> None:
        """Into the cell, or so many pixels right of its middle."""

        def act() -> None:
            cell = self.cell(creator, header)
            self.run("arguments[0].scrollIntoView({block: 'center', inline: 'center'})", cell)
            self.action().move_to_element_with_offset(cell, right, 0).click().perform()

        self.drawn()
        patiently(act)

    def sync(self) -> None:
        self.desk.run("sync")
        self.drawn()

    def drawn(self) -> None:
        """Until the page shows what there is."""
        now = "line.then(() => fetch('/_sandbox/state')).then(answer => answer.json())"
        until(lambda: self.run(now + ".then(state => String(state.revision) === revision)"))

    def colour(self, creator: str, header: str) -> tuple[int, ...]:
        style = "getComputedStyle(document.querySelector(arguments[0])).backgroundColor"
        said = self.run(style, self.place(creator, header))
        return tuple(int(part) for part in said[4:-1].split(","))


def patiently(act: Callable[[], Any]) -> Any:
    """Does it again where the page was drawn anew in that instant."""
    from selenium.common.exceptions import JavascriptException, NoSuchElementException, StaleElementReferenceException

    for _ in range(100):
        with suppress(JavascriptException, NoSuchElementException, StaleElementReferenceException):
            return act()
        time.sleep(0.05)
    return act()


def until(holds: Callable[[], object], seconds: float = 30) -> None:
    """Waits for it, as a person would."""
    end = time.monotonic() + seconds
    while not patiently(holds):
        assert time.monotonic() < end, "it did not come"
        time.sleep(0.05)


@contextmanager
def opened(folder: Path, width: int, height: int) -> Iterator[Page]:
    with driven(folder / "profile", width, height) as driver, sample_desk(folder) as desk:
        desk.run("init")
        page = Page(desk, driver)
        yield page
        assert driver.get_log("browser") == []


@pytest.fixture(params=[(1400, 900), (390, 844)], ids=["desktop", "phone"])
def page(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Page]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with opened(tmp_path, *request.param) as page:
        yield page


@pytest.fixture
def desktop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Page]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with opened(tmp_path, 1400, 900) as page:
        yield page


def test_a_newcomers_hour(page: Page) -> None:
    """Marks, pastes, takes back; a run while people sort; codes come, grow old and run out; Summary shows it."""
    marked_by_dropdown(page)
    pasted_and_undone(page)
    sorted_during_a_write(page)
    typed_during_a_refresh(page)
    delivered(page)
    grown_old(page)
    summed_up(page)


def marked_by_dropdown(page: Page) -> None:
    page.click(
        "@sofia.skin", "Action", right=patiently(lambda: page.cell("@sofia.skin", "Action").size["width"]) // 2 - 9
    )
    patiently(lambda: page.driver.find_element("xpath", "//*[@id='choices']//li[.='request']").click())
    until(lambda: page.value("@sofia.skin", "Action") == "request")


def pasted_and_undone(page: Page) -> None:
    before = page.sheet.table()
    page.click("@mia.bakes", "Client")
    page.keys("shift+right", "shift+down", "ctrl+c")
    page.click("@tomtech", "Client")
    page.keys("ctrl+v")
    until(lambda: page.value("@nina.draws", "Campaign") == "Marathon app")
    assert [page.value("@tomtech", name) for name in ("Client", "Campaign")] == ["Crumbly", "Autumn launch"]
    page.drawn()
    page.keys("ctrl+z")
    until(lambda: page.sheet.table() == before)


def sorted_during_a_write(page: Page) -> None:
    page.button("Trouble")
    page.button("People sort")
    until(lambda: page.desk.world.faults.rules)
    order = [line[0] for line in page.sheet.table()]
    page.sync()
    page.sync()  # as cron would: what people sorted away under the first run is put right at the latest by the next
    assert page.desk.world.faults.struck == 3
    assert [line[0] for line in page.sheet.table()] != order
    page.button("Lose the next answer to an order")
    until(lambda: page.desk.world.faults.rules)
    page.drawn()
    page.button("Stop all of it")
    until(lambda: not page.desk.world.faults.rules)
    page.drawn()
    page.button("Trouble")
    requests = {request.video_id: request.id for request in page.desk.world.portal.requests}
    at, id_at = page.column("Video ID"), page.column("Request ID")
    shown = {line[at]: line[id_at] for line in page.sheet.table()[1:] if line[id_at]}
    assert shown == requests
    assert len(shown) == 7


def typed_during_a_refresh(page: Page) -> None:
    page.click("@mia.bakes", "Note")
    page.keys(*"Hook ")
    with page.desk.server.lock:
        people.stir_rows(page.desk.world, page.desk.book, sample.TAB, "Creator")
        people.stir_rows(page.desk.world, page.desk.book, sample.TAB, "Creator")
    page.drawn()
    assert page.run("document.activeElement.id + document.activeElement.value") == "editorHook "
    page.keys("B", "enter")
    until(lambda: page.value("@mia.bakes", "Note") == "Hook B")
    page.drawn()
    table = page.sheet.table()
    page.click("@lenafit", "Note")
    page.keys(*"lost")
    with page.desk.server.lock:
        page.sheet.delete_rows(page.row("@lenafit"))
    page.keys("enter")
    until(lambda: page.text("#problem") == "\u201clost\u201d was not written: That row is gone.")
    assert "lost" not in str(page.sheet.table())
    assert len(page.sheet.table()) == len(table) - 1


def delivered(page: Page) -> None:
    page.drawn()
    for step in ("accept", "submit", "deliver"):
        body = f"{{'do': '{step}', 'video_id': '{page.value('@joaoruns', 'Video ID')}'}}".replace("'", '"')
        patiently(lambda: page.find(f".portal button[data-body='{body}']").click())  # noqa: B023
        page.drawn()
    page.sync()
    assert page.value("@joaoruns", "Spark code")
    until(lambda: page.text(page.place("@joaoruns", "Expiry")) == "ok")


def grown_old(page: Page) -> None:
    began = page.desk.world.clock.now()
    for days, word in ((28, "renewal needed"), (2, "expired")):
        for _ in range(days):
            page.button("+1 day")
        page.button("+1 hour")
        until(lambda: (page.desk.world.clock.now() - began).days >= (28 if word == "renewal needed" else 30))  # noqa: B023
        page.sync()
        until(lambda: page.text(page.place("@joaoruns", "Expiry")) == word)  # noqa: B023
        red, green, blue = patiently(lambda: page.colour("@joaoruns", "Expiry"))
        assert red > blue
        assert (green > 200) == (word == "renewal needed"), (red, green, blue)
    page.button("Now")
    until(lambda: (page.desk.world.clock.now() - began).days == 0)


def summed_up(page: Page) -> None:
    page.drawn()
    page.button("Summary")
    width, height = page.run("[innerWidth, innerHeight]")
    drawn = "[...document.querySelectorAll('svg')].map(c => c.getBoundingClientRect().toJSON())"
    until(lambda: len(page.run(drawn)) == 2)
    charts = page.run(drawn)
    assert all(chart["width"] and chart["bottom"] < height for chart in charts)
    assert charts[0]["right"] < width


def test_nothing_runs_over(page: Page) -> None:
    """The page is no wider than the screen; numbers, letters and the frozen column stay, and leave room for others."""
    assert page.run("document.documentElement.scrollWidth <= innerWidth")
    page.sync()
    box = "document.querySelector('.scroll')"
    page.run(f"{box}.scrollTo(600, 60)")
    number, letters, frozen, room = page.run(f"""(() => {{
        const box = {box}.getBoundingClientRect(), at = css => document.querySelector(css).getBoundingClientRect();
        return [at('.grid tr:nth-child(6) .n').left - box.left, at('.letters th').top - box.top,
                at('.grid tr:nth-child(6) td.frozen').left - box.left,
                1 - (at('.grid tr:nth-child(6) td.frozen').right - box.left) / box.width];
    }})()""")
    assert abs(number) <= 1
    assert abs(letters) <= 1
    assert 28 <= frozen <= 41
    assert room > 0.5
    over = page.run("""[...document.querySelectorAll('.sheet:not([hidden]) td span')].filter(text => {
        const next = text.parentNode.nextSibling;
        return next && next.textContent && text.getBoundingClientRect().right > next.getBoundingClientRect().left + 1
            && getComputedStyle(text.parentNode).overflow === 'visible';
    }).map(text => text.textContent)""")
    assert over == []


def test_by_keyboard_alone(desktop: Page) -> None:
    """From the first Tab to the last: mark, edit, list, tick, warning, menu, filter, undo, another tab."""
    page = desktop
    until(lambda: (page.keys("tab"), page.run("document.activeElement.matches('.grid td')"))[1])
    page.keys("right", *["down"] * 6)
    page.keys("r", "e", "enter")  # @sofia.skin: the first choice that fits is taken
    until(lambda: page.value("@sofia.skin", "Action") == "request")
    page.keys("up", "alt+down", "down", "enter")
    until(lambda: page.value("@sofia.skin", "Action") == "renew")
    page.keys("up", "delete")
    until(lambda: page.value("@sofia.skin", "Action") is None)
    page.keys("tab", "f2", "x", "esc", "f2", "y", "enter")
    until(lambda: page.value("@sofia.skiny", "Action") is None if "@sofia.skiny" in str(page.sheet.table()) else False)
    page.keys("ctrl+z")
    until(lambda: "@sofia.skiny" not in str(page.sheet.table()))
    page.keys("up", *["right"] * 5, "space")
    until(lambda: page.value("@sofia.skin", "Caption final") is False)
    page.keys(*["right"] * 2, "!")
    until(lambda: page.run("document.querySelector('#warning[open]')"))
    page.keys("esc")
    until(lambda: page.run("document.activeElement.matches('.grid td')"))
    page.keys("!")
    until(lambda: page.run("document.querySelector('#warning[open]')"))
    page.keys("shift+tab", "enter")
    until(lambda: page.run("document.activeElement.id") == "editor")
    page.keys(*"mine", "enter")
    until(lambda: page.value("@sofia.skin", "Status") == "!mine")
    sorted_and_filtered(page)
    page.keys("esc", "tab")
    until(lambda: page.run("document.activeElement.textContent") == "Summary")
    page.keys("enter")
    until(lambda: page.text("[data-show][aria-pressed=true]") == "Summary")


def sorted_and_filtered(page: Page) -> None:
    page.keys("home", "right", "right")
    page.keys("shift+f10", "enter")
    until(lambda: [line[2] for line in page.sheet.table()][1:3] == ["@carlos.dj", "@emma.reads"])
    page.drawn()
    page.keys("right", "shift+f10", "down", "down", "enter", "space", "enter")
    until(lambda: page.run("document.querySelectorAll('tr[data-row][hidden]').length") == 3)
    assert page.run("[...document.querySelectorAll('tr[hidden]')].every(row => row.cells[4].textContent === 'Crumbly')")
    page.keys("ctrl+z")
    until(lambda: not page.run("document.querySelectorAll('tr[data-row][hidden]').length"))
    rows = page.sheet.row_count
    page.keys("shift+f10", *["down"] * 3, "enter")
    until(lambda: page.sheet.row_count == rows + 1)


def dragged(page: Page) -> None:
    def act() -> None:
        start, end = page.cell("@mia.bakes", "Client"), page.cell("@lenafit", "Market")
        page.action().click_and_hold(start).move_to_element(end).release().perform()

    page.drawn()
    patiently(act)


PASTED = 'Client\tNote\r\nNew & Co\t"two\nlines, and a ""quote"""\r\n'


def test_with_the_mouse(desktop: Page) -> None:
    """Drags, whole rows by their number, the letter's menu, a tab; and a block from another program."""
    page = desktop
    dragged(page)
    until(lambda: page.run("document.querySelectorAll('.chosen').length") == 9)
    page.run(
        """(text => { const data = new DataTransfer(); data.setData('text/plain', text);
        document.activeElement.dispatchEvent(new ClipboardEvent('paste', {clipboardData: data, bubbles: true})); })
        (arguments[0])""",
        PASTED,
    )
    until(lambda: page.value("@joaoruns", "Campaign") == 'two\nlines, and a "quote"')
    assert [page.value(name, "Client") for name in ("@mia.bakes", "@joaoruns")] == ["Client", "New & Co"]
    page.drawn()
    until(lambda: page.run("document.querySelectorAll('.chosen').length") == 4)

    patiently(lambda: page.find("tr[data-row]:nth-child(5) th.n").click())
    page.run("showMenu(cellAt(chosen.at))")
    page.button("Delete row")
    until(lambda: "@lenafit" not in str(page.sheet.table()))
    page.drawn()
    page.keys("ctrl+z")
    until(lambda: page.sheet.table()[3][2] == "@lenafit")
    page.keys("ctrl+shift+z")
    until(lambda: "@lenafit" not in str(page.sheet.table()))

    page.drawn()
    page.run("document.querySelector('.scroll').scrollTo(0, 0)")
    patiently(lambda: page.find(".letters th:nth-child(4) .open").click())
    page.button("Insert a column right")
    until(lambda: page.sheet.value(0, 3) is None and page.column("Client") == 4)
    page.drawn()
    patiently(lambda: page.find("[data-add]").click())
    until(lambda: page.text("[data-show][aria-pressed=true]") == "Sheet2")
    assert [sheet.title for sheet in page.desk.book.sheets] == ["Tracker", "Summary", "Sheet2"]
