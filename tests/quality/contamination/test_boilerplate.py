"""What many texts have is no sign of a benchmark."""

from catalog.records import BenchmarkItem
from quality.contamination import BenchmarkIndex
from quality.contamination.commonplaces import commonplaces
from tests.quality.contamination.items import TEXT, quiz

FRAME = (
    "Look at the four drawings of the old harbour and mark with a cross the only one that a sailor would find wrong: "
)
ENDS = [
    "which bird nests on the cliff beside the old lighthouse and why does it leave in the autumn every year",
    "what did the baker promise her brother when the mill burned down during the longest night of winter",
    "how far can a loaded cart travel over frozen ground before the horses have to rest and drink again",
]


def test_what_three_items_of_a_benchmark_share_is_boilerplate() -> None:
    items = quiz(*(FRAME + end for end in ENDS))
    index = BenchmarkIndex(items)
    assert {hit.verdict for hit in index.find_all(FRAME + "who painted the ceiling?")} == {"boilerplate"}
    assert index.find(FRAME + "who painted the ceiling?") is None
    assert [overlap.item for item in items if (overlap := index.find(item.text))] == ["1", "2", "3"]


def test_a_common_quotation_in_an_item_is_boilerplate() -> None:
    quotation = "We hold these truths to be self-evident, that all men are created equal"
    index = BenchmarkIndex(
        quiz(f"{quotation}. Who of the signers had doubts about it, and in which of his letters? {TEXT}")
    )
    assert [hit.verdict for hit in index.find_all(f"As they say: {quotation}!")] == ["boilerplate"]
    assert index.find(f"so: {TEXT}") is not None


def test_the_licences_of_installed_packages_are_boilerplate() -> None:
    licence = next(text for text in commonplaces() if "Permission is hereby granted, free of charge" in text)
    start = licence.index("Permission is hereby granted")
    index = BenchmarkIndex(quiz(f"{licence[start : start + 200]} {TEXT} {ENDS[0]} {ENDS[1]}"))
    assert {hit.verdict for hit in index.find_all(licence)} == {"boilerplate"}


def test_a_phrase_that_many_learned_texts_have_is_boilerplate_and_the_item_is_not() -> None:
    phrase = "sign up now for our weekly letter and never miss a story from the valley of the seven mills again"
    index = BenchmarkIndex(quiz(f"{phrase}. {TEXT} {ENDS[0]}"))
    page = f"The mayor spoke. {phrase}. More on page four."
    assert [hit.verdict for hit in index.find_all(page)] == ["contaminated"]
    index.learn([page] * 20 + ["Nothing to see."] * 500)
    assert [hit.verdict for hit in index.find_all(page)] == ["boilerplate"]
    assert [hit.verdict for hit in index.find_all(f"{phrase}. {TEXT} {ENDS[0]}")] == ["contaminated"]


def test_a_phrase_that_many_texts_of_the_same_batch_have_is_boilerplate() -> None:
    phrase = "sign up now for our weekly letter and never miss a story from the valley of the seven mills again"
    index = BenchmarkIndex(quiz(f"{phrase}. {TEXT} {ENDS[0]}"))
    found = index.find_batch([phrase] * 20 + [TEXT + ENDS[0]] * 20 + ["Nothing to see."] * 500)
    assert {hit.verdict for hits in found[:20] for hit in hits} == {"boilerplate"}
    assert {hit.verdict for hits in found[20:40] for hit in hits} == {"contaminated"}


def test_the_same_item_in_two_benchmarks_is_a_hit_of_both() -> None:
    items = [BenchmarkItem(benchmark=name, item="1", text=TEXT) for name in ("quiz", "exam")]
    assert {hit.benchmark for hit in BenchmarkIndex(items).find_all(TEXT)} == {"quiz", "exam"}
