"""The page of a run in a real browser: opened from a file, used by mouse and by keyboard, photographed."""

from __future__ import annotations

import base64
import io
import json
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import optuna
import pytest
from PIL import Image

from results import load_run
from results.report import draw_report
from results.report.data import report_data
from results.report.pictures import report_pictures

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
DRIVER = shutil.which("chromedriver")
pytestmark = pytest.mark.skipif(not (CHROMIUM and DRIVER), reason="needs Chromium and chromedriver on the path")
FLAGS = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
)  # fmt: skip
SIZES = {"desktop": (1280, 900, False), "phone": (390, 844, True)}
HOVERED = "return document.querySelector('.hoverlayer .hovertext')?.textContent"
HIT = "<img src=x onerror=\"document.title='hit'\">"


class Browser:
    """A page in Chromium, and what a test asks of it."""

    def __init__(self, profile: Path) -> None:
        from selenium import webdriver
        from selenium.webdriver.chrome.service import Service

        options = webdriver.ChromeOptions()
        options.binary_location = str(CHROMIUM)
        for flag in (*FLAGS, f"--user-data-dir={profile}"):
            options.add_argument(flag)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
        self.driver = webdriver.Chrome(options=options, service=Service(str(DRIVER)))

    def open(self, path: Path, size: str = "desktop", theme: str = "light") -> None:
        width, height, mobile = SIZES[size]
        screen = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": mobile}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", screen)
        wishes = {"prefers-color-scheme": theme, "prefers-reduced-motion": "reduce"}  # nothing scrolls under the mouse
        features = [{"name": name, "value": value} for name, value in wishes.items()]
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
        self.driver.get(path.as_uri())
        self.wait("return document.body.dataset.ready")

    def js(self, script: str, *arguments: Any) -> Any:
        return self.driver.execute_script(script, *arguments)

    def wait(self, script: str, *arguments: Any) -> Any:
        from selenium.webdriver.support.ui import WebDriverWait

        return WebDriverWait(self.driver, 30, 0.05).until(lambda _: self.js(script, *arguments), script)

    def press(self, *keys: str) -> None:
        from selenium.webdriver.common.action_chains import ActionChains

        for key in keys:
            ActionChains(self.driver, 0).send_keys(key).perform()

    def move(self, row: int, click: bool = False) -> None:
        """The mouse over the mark of a network."""
        from selenium.webdriver.common.action_chains import ActionChains

        x, y = self.js(
            """document.getElementById("chart").scrollIntoView({block: "center", behavior: "instant"});
            const area = CHART.querySelector(".nsewdrag").getBoundingClientRect(), cost = DATA.costs[costName];
            const [left, right] = CHART.layout.xaxis.range, [low, high] = CHART.layout.yaxis.range;
            const x = Math.log10(value(arguments[0], cost.column) / cost.unit), y = value(arguments[0], "proxy_top1");
            return [area.left + area.width * (x - left) / (right - left),
                    area.top + area.height * (high - y) / (high - low)];""",
            row,
        )
        actions = ActionChains(self.driver, 10)
        actions.w3c_actions.pointer_action.move_to_location(round(x), round(y))
        if click:
            actions.pause(0.2)  # as a hand does; plotly looks for the nearest mark at most every 50 ms
            actions.w3c_actions.pointer_action.click()
        actions.perform()

    def words(self, element: str) -> str:
        return str(self.js("return document.getElementById(arguments[0]).textContent", element))

    def column(self, name: str) -> list[str]:
        cells = "[...document.querySelectorAll(`#table tbody td:nth-child(${COLUMNS.indexOf(arguments[0]) + 1})`)]"
        return list(self.js(f"return {cells}.map((cell) => cell.innerText)", name))

    def photograph(self, path: Path) -> Image.Image:
        made = base64.b64decode(self.driver.execute_cdp_cmd("Page.captureScreenshot", {"format": "png"})["data"])
        path.write_bytes(made)
        return Image.open(io.BytesIO(made)).convert("RGB")

    def requests(self) -> list[str]:
        """What the page asked for since the last call."""
        entries = [json.loads(entry["message"])["message"] for entry in self.driver.get_log("performance")]
        return [each["params"]["request"]["url"] for each in entries if each["method"] == "Network.requestWillBeSent"]

    def complaints(self) -> list[str]:
        return [entry["message"] for entry in self.driver.get_log("browser")]


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    started = Browser(tmp_path_factory.mktemp("profile"))
    yield started
    started.driver.quit()


@pytest.fixture(scope="module")
def page(master: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    run = load_run(master)
    path = tmp_path_factory.mktemp("page") / "report.html"
    path.write_bytes(draw_report(report_data(run), report_pictures(run)))
    return path


@pytest.fixture
def opened(browser: Browser, page: Path) -> Iterator[Browser]:
    """The page, freshly opened; at the end nothing went wrong in it and nothing was asked for."""
    browser.requests(), browser.complaints()
    browser.open(page)
    yield browser
    assert {url.split(":")[0] for url in browser.requests()} <= {"file", "data"}
    assert browser.complaints() == []


def rows(browser: Browser, test: str) -> list[int]:
    """Numbers of the rows for which a test in JavaScript holds."""
    return list(browser.js(f"return DATA.networks.trial.map((_, row) => row).filter((row) => {test})"))


MEMBER = "value(row, 'on_frontier') && !(row in DATA.labels)"


def test_hover_tells_the_configuration(opened: Browser) -> None:
    row = rows(opened, MEMBER)[0]
    opened.move(row)
    label = opened.wait(HOVERED)
    trial, network, family = opened.js("return ['trial', 'network', 'family'].map((x) => text(arguments[0], x))", row)
    assert f"Trial {trial}" in label and family in label
    assert network.split()[0] in label and network.split()[1] in label
    assert opened.js("return text(arguments[0], 'macs', true)", row) in label
    assert "GFLOPs" in label and "params" in label and "proxy top-1" in label


def test_click_shows_stages_and_lines_that_work(opened: Browser, master: Path) -> None:
    row = rows(opened, MEMBER)[1]
    opened.move(row, click=True)
    trial = opened.js("return DATA.networks.trial[arguments[0]]", row)
    opened.wait("return document.getElementById('details-title').textContent === arguments[0]", f"Trial {trial}")
    parts = opened.js("return [...document.querySelectorAll('#chosen tbody th')].map((x) => x.textContent)")
    assert parts[0] == "stem" and parts[-1] == "head" and len(parts) >= 4
    shares = opened.js(
        "return [...document.querySelectorAll('#chosen td.share')].map((x) => parseFloat(x.textContent))"
    )
    assert sum(shares) == pytest.approx(100, abs=0.1 * len(shares))
    code = opened.words("code")
    assert len(code.splitlines()) == 3
    names: dict[str, Any] = {}
    exec(code, names)
    assert sum(each.numel() for each in names["model"].parameters()) == load_run(master).candidate(trial).params
    opened.js("document.getElementById('copy').click()")
    opened.wait("return document.getElementById('copy').textContent !== 'Copy the lines'")


@pytest.mark.slow
def test_sorts(opened: Browser, master: Path) -> None:
    frame = load_run(master).networks()
    head = "document.querySelector('th[data-column={}]')"
    assert opened.js(f"return {head.format('proxy_top1')}.ariaSort") == "descending"
    assert opened.column("proxy_top1") == [f"{top1:.2f}" for top1 in frame["proxy_top1"].sort_values()[::-1][:25]]
    for order, falling in (("ascending", False), ("descending", True)):
        opened.js(f"{head.format('params')}.querySelector('button').click()")
        assert opened.js(f"return {head.format('params')}.ariaSort") == order
        assert opened.js("return document.querySelectorAll('th[aria-sort$=ending]').length") == 1
        shown = [float(words) for words in opened.column("params")]
        assert len(shown) == 25 and shown == sorted(shown, reverse=falling)
    pages = -(-len(rows(opened, "true")) // 25)
    for _ in range(pages - 1):
        opened.js("document.getElementById('after').click()")
    assert opened.words("page") == f"page {pages} of {pages}"
    assert opened.js("return document.getElementById('after').disabled")
    assert 0 < len(opened.column("params")) <= 25


@pytest.mark.slow
def test_filters(opened: Browser) -> None:
    from selenium.webdriver.common.by import By

    everything = len(rows(opened, "true"))
    words = opened.driver.find_element(By.ID, "words")
    words.send_keys("DenseNet theta")
    dense = len(rows(opened, "value(row, 'family') === 'densenet'"))
    assert opened.words("shown").startswith(f"{dense} of {everything} ")
    assert {word.split()[-1] for word in opened.column("family")} == {"DenseNet"}
    words.clear()
    words.send_keys("nothing is called so")
    assert opened.words("shown") == f"0 of {everything} networks"
    assert opened.column("trial") == []
    words.clear()
    for box in opened.driver.find_elements(By.CSS_SELECTOR, "#families input:not([value=resnet])"):
        box.click()
    opened.driver.find_element(By.ID, "members").click()
    expected = rows(opened, "value(row, 'on_frontier') && value(row, 'family') === 'resnet'")
    assert len(opened.column("trial")) == len(expected) > 0
    assert set(opened.column("on_frontier")) == {"yes"}


@pytest.mark.slow
def test_another_cost_on_the_axis(opened: Browser) -> None:
    from selenium.webdriver.common.by import By

    before = opened.js("return CHART.layout.xaxis.range")
    boxes = opened.driver.find_elements(By.CSS_SELECTOR, "#costs input")
    assert [box.get_attribute("value") for box in boxes] == ["macs", "params", "activations"]
    boxes[1].click()
    opened.wait("return document.querySelector('.xtitle').textContent.startsWith('parameters (M')")
    assert opened.js("return CHART.layout.xaxis.range") != before
    step = opened.js("return CHART.data.find((trace) => trace.name?.startsWith('frontier')).x")
    assert step[0] == opened.js("return DATA.costs.params.step[0][0]")
    row = opened.js("return DATA.networks.trial.indexOf(DATA.costs.params.members[1])")
    opened.move(row)
    label = opened.wait(HOVERED)
    assert opened.js("return title(arguments[0])", row) in label


@pytest.mark.slow
def test_keyboard_alone(opened: Browser) -> None:
    tab, enter, space = "\ue004", "\ue007", "\ue00d"
    focus = "return document.activeElement.{}"
    opened.press(tab)
    assert opened.js(focus.format("className")) == "skip"
    opened.press(enter)
    opened.wait("return document.activeElement.id === 'networks'")
    opened.press(tab)
    assert opened.js(focus.format("id")) == "words"
    opened.press(tab, space)
    assert opened.js(focus.format("checked")) is False
    for _ in range(30):
        opened.press(tab)
        if opened.js("return document.activeElement.matches('tbody button')"):
            break
    trial = opened.js(focus.format("textContent"))
    assert opened.js("return getComputedStyle(document.activeElement).outlineStyle") == "solid"
    opened.press(enter)
    assert opened.js(focus.format("id")) == "details-title"
    assert opened.js("return String(value(chosen, 'trial'))") == trial
    assert opened.words("said").startswith("Details of ")
    opened.press(tab)
    assert opened.js(focus.format("id")) == "back"
    opened.press(enter)
    assert opened.js(focus.format("textContent")) == trial


@pytest.mark.slow
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("size", SIZES)
def test_photographs(size: str, theme: str, browser: Browser, page: Path, tmp_path: Path) -> None:
    browser.open(page, size, theme)
    width, height, _ = SIZES[size]
    photo = browser.photograph(Path(os.environ.get("REPORT_PHOTOS", tmp_path)) / f"{size}-{theme}.png")
    assert photo.size == (width, height)
    paper = browser.js("return DATA.themes[arguments[0]].paper", theme)
    assert "#{:02x}{:02x}{:02x}".format(*photo.getpixel((3, height // 2))) == paper
    assert len(photo.getcolors(10**6) or []) > 200  # text, marks
    assert browser.js("return document.documentElement.scrollWidth <= innerWidth")
    pictures = "[...document.querySelectorAll('.pictures img')]"
    assert browser.js(f"return {pictures}.every((x) => x.complete && x.naturalWidth)")
    assert set(browser.js(f"return {pictures}.filter((x) => x.offsetWidth).map((x) => x.className)")) == {theme}
    browser.js("document.getElementById('theme').click()")
    other = browser.js("return getComputedStyle(document.body).backgroundColor")
    assert other != "rgb({}, {}, {})".format(*photo.getpixel((3, height // 2)))


@pytest.mark.slow
def test_hostile_names_are_only_names(make_run: Callable[..., Path], browser: Browser, tmp_path: Path) -> None:
    directory = make_run(tmp_path / HIT.replace("/", ""), samples=4, landmarks=False, data=f"</script>{HIT}")
    storage = optuna.storages.RDBStorage(f"sqlite:///{directory / 'study.db'}")
    study = optuna.load_study(storage=storage, study_name=directory.name)
    attributes = study.trials[0].user_attrs | {"kind": "landmark", "landmark": HIT, "config_id": HIT, "origin": HIT}
    study.add_trial(optuna.trial.create_trial(values=[99.0, 1e6], user_attrs=attributes))
    failed = attributes | {"reason": f"<b>{HIT}</b> %{{x}} </script>", "landmark": HIT}
    study.add_trial(optuna.trial.create_trial(state=optuna.trial.TrialState.FAIL, user_attrs=failed))
    storage.remove_session()
    storage.engine.dispose()
    own = tmp_path / "own.json"
    own.write_text(json.dumps({"name": "own", "label": HIT, "family": f"__proto__{HIT}", "macs": "2G", "params": "9M"}))
    path = tmp_path / "report.html"
    path.write_bytes(draw_report(report_data(load_run(directory, landmarks=[own])), ()))
    browser.complaints()
    browser.open(path)
    named = rows(browser, "row in DATA.labels")[0]
    browser.move(named, click=True)
    assert HIT in browser.wait(HOVERED)
    browser.wait("return document.getElementById('details-title').textContent === arguments[0]", HIT)
    for button in range(len(browser.column("trial"))):
        browser.js("document.querySelectorAll('#table tbody button')[arguments[0]].click()", button)
    assert browser.js("return document.querySelector('h1').textContent") == directory.name
    assert browser.js("return document.title") == f"{directory.name} · archfrontier"
    assert browser.js("return document.querySelectorAll('img').length") == 0
    assert browser.complaints() == []
