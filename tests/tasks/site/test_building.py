"""What the pages say, and how they come into their folder."""

import http.client
import json
import re
from html import unescape
from pathlib import Path
from threading import Thread

import pytest
from made_site import Made

from catalog.publish import Findings, Run, publish
from catalog.records import Prompt
from catalog.spool import Spool
from catalog.store import Lake
from catalog.withdrawals import Asked, withdraw
from infra.errors import Refusal
from infra.settings import load_settings
from tasks.site import MARK, Server, Wish, build
from tasks.site.pages import row_page

pytestmark = pytest.mark.xdist_group("site")  # they share a lake


def text_of(file: Path) -> str:
    """The words of a page, as a reader sees them."""
    body = file.read_text("utf-8").partition("<main")[2]
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", body)).split())


def contents(folder: Path) -> dict[str, bytes]:
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def test_every_link_leads_to_a_page_of_the_site(made: Made) -> None:
    dead = set()
    for file in made.folder.rglob("*.html"):
        for address in re.findall(r'(?:href|src)="([^"]+)"', file.read_text("utf-8")):
            path, _, mark = address.partition("#")
            if path.startswith("https://"):
                continue
            meant = (file.parent / unescape(path)).resolve() if path else file
            if not meant.is_file() or (mark and f'id="{mark}"' not in meant.read_text("utf-8")):
                dead.add(address)
    assert dead == set()


def test_a_table_tells_its_versions_its_columns_and_what_it_reads(made: Made) -> None:
    told = text_of(made.folder / "tables/sft.toy.html")
    assert "Made from raw.seeds" in told
    assert "Read by sft.again" in told
    assert "completion VARCHAR 100 %" in told
    assert "pinned" in told


def test_a_version_tells_its_checks_what_was_left_out_and_how_it_was_made(made: Made) -> None:
    told = text_of(made.folder / "tables/sft.toy/1.html")
    ((checks,),) = made.lake.query(
        "SELECT count(*) FROM catalog.checks WHERE table_name = 'sft.toy' AND version = 1"
    ).rows()
    assert re.search(rf"(all {checks} hold|of {checks} broken)", told)
    assert "unique(completion)" in told
    assert "refusal" in told.partition("Rejected By the run")[2].partition("How it was made")[0]
    assert "generator=scripted" in told
    assert "1 of the 2 rows" in told or "2 of the 2 rows that it added" in told
    assert "Made from raw.seeds@1" in told


def test_a_version_tells_broken_gates_reasons_as_one_and_the_command_that_makes_it_again(made: Made) -> None:
    told = text_of(made.folder / "tables/instruction_tuning.self_instruct/1.html")
    assert "1 of 1 broken" in told
    assert "≥ 0.5" in told
    assert "is 0 words long <i> 3 rows" in told
    assert "everspring run instruction_tuning --method self_instruct --rows 4" in told
    assert "cost not known" in told or "not known cost" in told
    assert "words in a row" in told


def test_a_row_tells_what_was_asked_and_answered_on_the_way(made: Made) -> None:
    ((row,),) = made.lake.query("SELECT record_id FROM sft.toy WHERE prompt = 'alpha'").rows()
    told = text_of(made.folder / row_page(row))
    assert "RE ALPHA 5" in told
    assert "Intermediate row" in told
    assert re.search(r"Asked of scripted as generator user alpha answer re alpha 5", told)


def test_the_same_lake_makes_the_same_site(made: Made, tmp_path: Path) -> None:
    build(made.lake, Wish(tmp_path / "again", samples=12))
    assert contents(tmp_path / "again") == contents(made.folder)


def test_the_index_of_the_search_is_ascii_without_markup(made: Made) -> None:
    script = (made.folder / "data/search.js").read_text("ascii")
    assert not set("<>&") & set(script)
    kinds = {entry[0] for entry in json.loads(script.removeprefix("window.EVERSPRING_INDEX=").rstrip(";\n"))}
    assert kinds == {"table", "method", "row"}


def test_pages_are_named_after_tables_and_ids_alone(made: Made) -> None:
    assert all(re.fullmatch(r"[A-Za-z0-9_.-]+", part) for name in contents(made.folder) for part in name.split("/"))


def test_a_lake_without_tables_has_a_site_of_methods(tmp_path: Path) -> None:
    build(Lake(load_settings(home=tmp_path / "home")), Wish(tmp_path / "site"))
    assert "There is no table yet" in text_of(tmp_path / "site/index.html")
    assert "Self-Instruct" in text_of(tmp_path / "site/methods/self_instruct.html")


@pytest.mark.parametrize("there", ["file", "folder"])
def test_a_place_that_is_no_site_is_left_alone(made: Made, tmp_path: Path, there: str) -> None:
    place = tmp_path / "mine"
    if there == "file":
        place.write_text("mine")
    else:
        place.mkdir()
        (place / "notes.txt").write_text("mine")
    with pytest.raises(Refusal, match="is a file" if there == "file" else "holds something else"):
        build(made.lake, Wish(place))
    assert "mine" in {each.read_text() for each in (place, place / "notes.txt") if each.is_file()}


def test_a_build_that_breaks_off_leaves_the_site_that_was_there(made: Made, tmp_path: Path) -> None:
    place = tmp_path / "site"
    place.mkdir()
    (place / MARK).write_text("{}")

    def interrupt(what: str, done: int, _of: int) -> None:
        if what == "writing" and done:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        build(made.lake, Wish(place), interrupt)
    assert contents(tmp_path) == {f"site/{MARK}": b"{}"}
    build(made.lake, Wish(place))
    assert (place / "index.html").is_file()
    assert [each.name for each in tmp_path.iterdir()] == ["site"]


def test_a_server_gives_pages_to_this_machine_alone(made: Made) -> None:
    def ask(path: str, host: str) -> int:
        connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=10)
        connection.request("GET", path, headers={"Host": host})
        return connection.getresponse().status

    with Server(made.folder, 0) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        here = f"127.0.0.1:{server.server_port}"
        assert ask("/index.html", here) == 200
        assert ask("/index.html", "elsewhere.example") == 403
        assert ask("/tables/", here) == 404
        assert ask("/../home/lake.sqlite", here) == 404
        server.shutdown()


def test_withdrawn_rows_are_in_no_page_though_an_earlier_version_still_has_them(tmp_path: Path) -> None:
    lake = Lake(load_settings(home=tmp_path / "home"))
    rows = [Prompt(prompt=f"secret number {number}") for number in range(3)]
    run = Run(run_id="seeds", stage="raw", method="seeds", table_name="raw.seeds", fingerprint="f")
    with Spool(tmp_path / "spool", Prompt) as spool:
        spool.add_rows(rows, {})
        publish(lake, run, spool, Findings(), shape=Prompt)
    withdraw(lake, Asked(records=[rows[1].record_id]), who="somebody", why="asked")
    build(lake, Wish(tmp_path / "site"))
    told = b" ".join(contents(tmp_path / "site").values()).decode()
    assert "secret number 0" in told
    assert "secret number 1" not in told
    assert not (tmp_path / "site" / row_page(rows[1].record_id)).exists()
    assert "has withdrawn rows" in text_of(tmp_path / "site/tables/raw.seeds/1.html")
