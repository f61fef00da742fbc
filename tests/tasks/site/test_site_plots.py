"""Plots of the site: what is drawn is what is there, and what it is called is text."""

import re
from xml.etree import ElementTree as ET

from quality.scorecard import Line
from tasks.site.plots import histogram, scale_of, strip, trend

SVG = "{http://www.w3.org/2000/svg}"


def parsed(drawn: str) -> ET.Element:
    return ET.fromstring(str(drawn).replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1))


def line(value: float, low: float | None = None, high: float | None = None, *, passed: bool = True) -> Line:
    return Line("quality", "length", value, 10, "m/1", low, high, passed)


def test_a_histogram_has_a_bar_for_every_bin_with_rows_and_says_the_middle() -> None:
    counts = {1: 5, 2: 10, 9: 1}
    drawn = parsed(histogram("prompt", counts, scale_of(counts), "k"))
    assert len(list(drawn.iter(f"{SVG}rect"))) == 3
    assert drawn.find(f"{SVG}desc").text == "Between 1 and 9 words, the middle row has 2."


def test_a_few_rows_that_are_far_longer_do_not_squeeze_the_others() -> None:
    counts = dict.fromkeys(range(10, 30), 100) | {90_000: 1}
    scale = scale_of(counts)
    assert (scale.low, scale.width, scale.open) == (10, 1, True)
    assert "29+ words" in histogram("prompt", counts, scale, "k")


def test_a_name_with_markup_is_text() -> None:
    for drawn in (histogram("<b>&", {8: 1}, scale_of({8: 1}), "k"), trend("<b>&", [(1, 2.0)], "k")):
        assert "<b>" not in drawn
        assert parsed(drawn).find(f"{SVG}title").text.startswith("<b>&")


def test_a_trend_says_where_it_began_and_ended_and_whether_the_last_is_good() -> None:
    drawn = trend("length", [(1, 0.25), (2, 0.5), (5, float("nan"))], "k", line(0.5, low=0.75, passed=False))
    assert 'class="bad"' in drawn
    assert len(re.findall("<circle", drawn)) == 2


def test_a_strip_is_there_for_gated_figures_only() -> None:
    assert strip(line(0.5)) == ""
    assert 'class="good"' in strip(line(0.5, low=0.25))
