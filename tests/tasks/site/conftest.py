"""A lake with three generations of rows, some of them hostile, and its site."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from bench import TOY, Bench
from chromium import PROGRAM, Page, browser
from made_site import Made
from scripted import ScriptedServer

from catalog.pins import pin
from catalog.publish import Findings, Run, publish
from catalog.records import PromptCompletion
from catalog.spool import Spool
from catalog.store import Lake, TableRef
from infra.settings import load_settings
from tasks.llm import open_models
from tasks.site import Wish, build

SCRIPT = "<script>window.hit = 1</script>"
HOSTILE = (
    f"{SCRIPT} is a question",
    "</script></div><img src=x onerror='window.hit = 2'> what is that?",
    "[link](javascript:window.hit=3) **bold** \u2028 {{ 7 * 7 }} {% raw %} what is meant?",
    "\u202eمرحبا بالعالم\u202c what does this say, and \x1b[31mthis?",
    "long " * 9000 + "what was that?",
    "a" * 3000 + " why?",
)
REFUSED = "I'm sorry, but as an AI language model I cannot help with that request."
OFF = ("injection", "repetition", "fluency", "language")
"""Screens that would leave out what is to be shown here."""
AGAIN = TOY.replace("def toy(", "def again(").replace("raw.seeds", "sft.toy").replace(".upper()", ".lower()")


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory, tracking: str) -> Made:
    """`sft.toy` in two versions of hostile seeds, and `sft.again` made from it; a table of a method that is known."""
    home = tmp_path_factory.mktemp("site") / "home"

    def answer(prompt: str, _body: object) -> str:
        return REFUSED if prompt == "gamma" else f"re {prompt[:2000]} {len(prompt)}"

    with ScriptedServer(answer) as server:
        settings = load_settings(
            home=home,
            base_url=server.url,
            model="scripted",
            retries=1,
            mlflow=tracking,
            sign=False,
            screens=dict.fromkeys(OFF, "off"),
        )
        with open_models(settings) as models:
            bench = Bench(home, settings, models, server)
            bench.run()
            bench.put(*HOSTILE)
            bench.run()
            bench.run(AGAIN, name="again")
    _publish_known(bench.lake, home)
    pin(bench.lake, TableRef("sft", "toy", 1), note="<b>kept</b>", who="somebody")
    folder = home.parent / "pages"
    build(bench.lake, Wish(folder, samples=12))
    return Made(bench.lake, folder)


def _publish_known(lake: Lake, home: Path) -> None:
    run = Run(
        run_id="known",
        stage="instruction_tuning",
        method="self_instruct",
        table_name="instruction_tuning.self_instruct",
        fingerprint="f",
        settings='{"rows": 4, "seed": 7}',
        made=4,
        kept=1,
        cost=None,
    )
    rejected = [(None, "judge", f"is {number} words long <i>", SCRIPT) for number in range(3)]
    figures = [
        {"axis": "diversity", "metric": "distinct_2", "value": value, "n": 1, "method": "m/1", "low": 0.5, "high": None}
        for value in (0.25,)
    ]
    with Spool(home / "spool" / "known", PromptCompletion) as spool:
        spool.add_rows([PromptCompletion(prompt=SCRIPT, completion="an answer of some more words than five")], {})
        spool.add_rejected(rejected)
        publish(lake, run, spool, Findings(metrics=figures), shape=PromptCompletion)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Page]:
    """A page of a browser, the same for all tests."""
    if not PROGRAM:
        pytest.skip("Chromium is not installed: nothing here can look at pages")
    with browser() as page:
        yield page


@pytest.fixture
def page(chromium: Page) -> Page:
    """A page as it is at first: 1440 pixels wide, light, nothing logged."""
    chromium.resize(1440)
    chromium.prefer(color_scheme="light")
    chromium.go("about:blank")
    chromium.requests.clear()
    chromium.errors.clear()
    return chromium
