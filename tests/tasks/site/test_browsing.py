"""The site in Chromium, opened as files: what a reader clicks, types and sees."""

from pathlib import Path

import pytest
from chromium import Page
from made_site import Made

from catalog.store import Lake
from tasks.site import Server
from tasks.site.pages import row_page, table_page, version_page

pytestmark = pytest.mark.xdist_group("site")  # they share a lake


@pytest.fixture
def start(made: Made) -> str:
    return (made.folder / "index.html").as_uri()


def every_kind_of_page(folder: Path, lake: Lake) -> list[Path]:
    ((row,),) = lake.query("SELECT record_id FROM sft.again ORDER BY record_id LIMIT 1").rows()
    names = [
        "index.html",
        "lineage.html",
        "methods.html",
        "methods/self_instruct.html",
        table_page("sft.toy"),
        version_page("sft.toy@2"),
        version_page("instruction_tuning.self_instruct@1"),
        row_page(row),
    ]
    return [folder / name for name in names]


def heading(page: Page) -> str:
    return page.run("document.querySelector('h1').textContent")


def test_a_reader_clicks_from_a_table_to_a_row_to_its_parents_to_the_seed(made: Made, page: Page, start: str) -> None:
    page.go(start)
    page.click("a[href='tables/sft.again.html']")
    assert heading(page) == "sft.again"
    page.click("main tbody a")
    assert heading(page) == "sft.again, version 1"
    page.click(".samples a.id")
    assert "Asked of scripted" in page.run("document.querySelector('#made').parentElement.textContent")
    page.click("#parent-rows a")
    assert "Of sft.toy, added by version" in page.run("document.querySelector('.lead').textContent")
    page.click("#parent-rows a")
    assert "Of raw.seeds" in page.run("document.querySelector('.lead').textContent")
    assert "it is a seed" in page.run("document.querySelector('main').textContent")
    assert not page.errors


def test_nothing_is_asked_of_elsewhere_and_nothing_is_logged(made: Made, page: Page) -> None:
    for file in every_kind_of_page(made.folder, made.lake):
        page.go(file.as_uri())
        page.run("document.getElementById('search').focus()")
        page.until("window.EVERSPRING_INDEX !== undefined")
    inside = made.folder.as_uri()
    assert page.requests
    assert [each for each in page.requests if not each.startswith((inside, "data:"))] == []
    assert page.errors == []


def test_markup_in_rows_is_text(made: Made, page: Page) -> None:
    rows = made.lake.query("SELECT record_id, prompt FROM raw.seeds").rows()
    for record_id, prompt in rows:
        page.go((made.folder / row_page(record_id)).as_uri())
        shown = page.run("document.querySelector('.fields .text').textContent")
        assert shown[:500] == prompt.replace("\x1b", "\u241b")[:500]
    for file in every_kind_of_page(made.folder, made.lake):
        page.go(file.as_uri())
        page.run("document.getElementById('search').focus()")
        page.write("question")
        page.until("!document.getElementById('found').hidden && window.EVERSPRING_INDEX")
        assert page.run("window.hit") is None
        assert page.run("document.querySelectorAll('main script, main img, #found script').length") == 0


@pytest.mark.parametrize("width", [390, 1440])
def test_no_page_is_wider_than_the_window(made: Made, page: Page, width: int) -> None:
    page.resize(width)
    for file in every_kind_of_page(made.folder, made.lake):
        page.go(file.as_uri())
        assert page.run("document.documentElement.scrollWidth") == width, file


def test_the_search_finds_tables_methods_and_rows_by_keyboard(page: Page, start: str) -> None:
    page.go(start)
    page.press("/")
    page.write("toy")
    page.until("document.querySelectorAll('#found a').length > 1")
    assert page.run("[...document.querySelectorAll('#found a')].slice(0, 1).map((a) => a.getAttribute('href'))") == [
        "tables/sft.toy.html"
    ]
    page.press("ArrowDown")
    assert page.run("document.activeElement.closest('#found') !== null")
    page.press("Escape")
    assert page.run("document.activeElement.id") == "search"
    assert page.run("document.getElementById('found').hidden")
    page.run("document.getElementById('search').value = ''")
    page.write("wizardlm")
    page.until("document.querySelector('#found a b')?.textContent === 'evol_instruct_wizardlm'")
    page.press("Enter")
    page.wait_for("Page.loadEventFired")
    assert heading(page) == "evol_instruct_wizardlm"


def test_the_first_key_skips_to_the_content_and_what_has_the_focus_shows_it(page: Page, start: str) -> None:
    page.go(start)
    page.press("Tab")
    assert page.run("document.activeElement.className") == "skip"
    assert page.run("document.activeElement.getBoundingClientRect().left >= 0")
    page.press("Enter")
    assert page.run("document.activeElement.id") == "main"
    page.press("Tab")
    assert page.run("getComputedStyle(document.activeElement).outlineStyle") == "solid"


def test_the_theme_is_the_systems_until_one_is_chosen_and_then_kept(page: Page, start: str) -> None:
    def ground() -> str:
        return page.run("getComputedStyle(document.body).backgroundColor")

    page.go(start)
    light = ground()
    page.prefer(color_scheme="dark")
    dark = ground()
    assert dark != light
    page.click("#theme", loads=False)
    assert ground() == light
    page.go(start.replace("index", "methods"))
    assert ground() == light
    page.run("localStorage.clear()")


CONTRAST = """
(() => {
  const canvas = document.createElement('canvas').getContext('2d', {willReadFrequently: true});
  const rgb = (colour, under) => {
    canvas.fillStyle = `rgb(${under})`; canvas.fillRect(0, 0, 1, 1);
    canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3);
  };
  const light = (c) => c.map((v) => v / 255).map((v) => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
    .reduce((sum, v, at) => sum + v * [0.2126, 0.7152, 0.0722][at], 0);
  const ground = (element) => element
    ? rgb(getComputedStyle(element).backgroundColor, ground(element.parentElement)) : [255, 255, 255];
  const worst = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node; (node = walker.nextNode());) {
    const element = node.parentElement;
    const hidden = !node.textContent.trim() || !element.getClientRects().length;
    if (hidden || element.closest('svg, .unseen, .skip')) continue;
    const under = ground(element), colour = getComputedStyle(element).color;
    const [a, b] = [light(rgb(colour, under)), light(under)];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < 4.5) worst.push([element.tagName, element.className, node.textContent.trim().slice(0, 30), ratio]);
  }
  return worst;
})()
"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_all_words_can_be_told_from_their_ground(made: Made, page: Page, scheme: str) -> None:
    page.prefer(color_scheme=scheme)
    for file in every_kind_of_page(made.folder, made.lake):
        page.go(file.as_uri())
        assert page.run(CONTRAST) == [], file


def test_the_lineage_graph_is_moved_and_zoomed_and_its_tables_are_links(made: Made, page: Page) -> None:
    def view() -> list[float]:
        box = page.run("document.querySelector('.canvas svg').getAttribute('viewBox')")
        return [float(part) for part in box.split()]

    page.go((made.folder / "lineage.html").as_uri())
    before = view()
    page.click("button[data-do=in]", loads=False)
    assert view()[2] < before[2]
    page.run("document.querySelector('.node[href*=\"sft.again\"]').focus()")
    lit = page.run("[...document.querySelectorAll('.node.on')].map((node) => node.getAttribute('href'))")
    assert {"tables/raw.seeds.html", "tables/sft.toy.html", "tables/sft.again.html"} == set(lit)
    x = view()[0]
    page.press("ArrowRight")
    assert view()[0] > x
    page.press("Enter")
    page.wait_for("Page.loadEventFired")
    assert heading(page) == "sft.again"
    assert not page.errors


def test_without_scripts_everything_but_search_and_zoom_is_there(made: Made, page: Page) -> None:
    page.send("Emulation.setScriptExecutionDisabled", value=True)
    try:
        page.go((made.folder / "index.html").as_uri())
        page.click("a[href='tables/sft.toy.html']")
    finally:
        page.send("Emulation.setScriptExecutionDisabled", value=False)
    assert heading(page) == "sft.toy"
    assert page.run("getComputedStyle(document.querySelector('.search')).display") == "none"


def test_a_site_is_served_as_it_is_opened(made: Made, page: Page) -> None:
    from threading import Thread

    with Server(made.folder, 0) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        page.go(server.address)
        page.click("a[href='tables/sft.toy.html']")
        assert heading(page) == "sft.toy"
        assert [each for each in page.requests if not each.startswith(server.address)] == []
        server.shutdown()
    assert not page.errors
