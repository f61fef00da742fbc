import json
from collections.abc import Callable

from catalog.records import Prompt
from tasks.ledger import Ledger, keep
from tasks.llm import LLM
from tasks.operators.gate import gate


def test_rows_of_the_wanted_label_go_on_with_the_verdict_and_the_others_are_dropped(
    scripted_llm: Callable[..., LLM],
) -> None:
    rows = [Prompt(prompt=text) for text in ("Is it red?", "It is red.")]
    llm = scripted_llm(lambda prompt, body: json.dumps({"label": "yes" if "it red?" in prompt else "no"}))
    with keep(Ledger()) as ledger:
        passed = gate(llm, rows, "Is it a question?", ("yes", "no"), "{prompt}", wanted="yes", reason="no question")
    assert [(row.prompt, verdict.value) for row, verdict in passed] == [("Is it red?", "yes")]
    assert [(drop.row, drop.reason) for drop in ledger.drops] == [(rows[1], "no question")]
