"""A bench: a home with one table of seeds, a scripted model, and a toy method to run on them."""

import importlib.util
import itertools
from pathlib import Path
from typing import Any

from catalog.publish import Findings, Run, publish
from catalog.records import Prompt
from catalog.spool import Spool
from catalog.store import Lake
from infra.settings import Settings
from tasks.ledger import Purse
from tasks.llm import Models
from tasks.materialize import Order, materialize
from tasks.method import Method, read_method

TOY = '''"""Answer each seed in capitals."""
from catalog.records import Prompt, PromptCompletion
from quality.expectations import unique
from tasks.llm import LLM
from tasks.method import Paper, Partition, Rows, method
from tasks.operators.generate import generate


@method(
    paper=Paper("On toys", "A. Maker", 2020, arxiv="2001.00001"),
    categories=["general-model-distillation"],
    reads={"seeds": "raw.seeds"},
    expects=[unique("completion")],
)
def toy(seeds: Partition[Prompt], llm: LLM, *, prefix: str = "", seed: int = 0) -> Rows[PromptCompletion]:
    drafts = [
        PromptCompletion(prompt=row.prompt, completion=answer.value, origin=(row, answer))
        for row, answer in generate(llm, seeds, prefix + "{prompt}", seed=seed)
    ]
    return [
        PromptCompletion(prompt=draft.prompt, completion=draft.completion.upper(), origin=(draft,)) for draft in drafts
    ]
'''


class Bench:
    """`server` answers for the model; `put` adds seeds; `run` makes the toy's next version; `ask` is SQL."""

    _runs = itertools.count()

    def __init__(self, home: Path, settings: Settings, models: Models, server: Any) -> None:
        self.home, self.settings, self.models, self.server = home, settings, models, server
        self.lake = Lake(settings)
        self.put("alpha", "beta", "gamma")

    def put(self, *prompts: str) -> None:
        run_id = f"seeds-{next(self._runs)}"
        run = Run(run_id=run_id, stage="raw", method="seeds", table_name="raw.seeds", fingerprint="s")
        with Spool(self.home / "spool" / run.run_id, Prompt) as spool:
            spool.add_rows([Prompt(prompt=prompt) for prompt in prompts], {})
            publish(self.lake, run, spool, Findings(), shape=Prompt)

    def method(self, source: str = TOY, name: str = "toy") -> Method:
        file = self.home / f"{name}.py"
        file.write_text(source)
        spec = importlib.util.spec_from_file_location(f"tasks.sft.{name}", file)
        assert spec
        assert spec.loader
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return read_method(module)

    def run(self, source: str = TOY, purse: Purse | None = None, name: str = "toy", **order: Any) -> Any:
        method = self.method(source, name)
        return materialize(method, self.lake, self.models, Order(**order), self.settings, purse=purse)

    def ask(self, sql: str) -> list[tuple[Any, ...]]:
        return self.lake.query(sql).rows()
