from catalog.sources import load_sources


def test_there_are_forty_requests_each_once() -> None:
    rows = [row.prompt for row, _ in load_sources()["red_team_prompts"].rows()]  # type: ignore[attr-defined]
    assert len(set(rows)) == len(rows) == 40
    assert all(text and text == text.strip() for text in rows)
