"""The flow over all stages, in order: each reads what those before it published."""

from collections.abc import Mapping
from typing import Any

from prefect import flow
from prefect.flows import Flow
from prefect.runtime import flow_run

from catalog.store import STAGES
from flows.alignment import alignment
from flows.applications import applications
from flows.data_preparation import data_preparation
from flows.instruction_tuning import instruction_tuning
from flows.lives import tell_lives
from flows.parameters import Count, Dollars, described, name_of, seed_of
from flows.pretraining import pretraining
from flows.sft import sft
from flows.stage import StageFailure
from flows.telling import noting, tell
from flows.workplace import ROWS, by_stage, workplace
from infra.errors import EverspringError
from tasks.outcome import Outcome

FLOWS: Mapping[str, Flow[..., list[Outcome]]] = dict(
    zip(
        STAGES,
        (data_preparation, pretraining, sft, instruction_tuning, alignment, applications),
        strict=True,
    )
)


_WHAT = "Every stage of a language model's life; one that fails keeps none after it from the last good versions."


@flow(name="lifecycle", description=_WHAT, flow_run_name=lambda: name_of("lifecycle", flow_run.parameters))
@described(_WHAT)
def lifecycle(  # noqa: D103 - it is described
    methods: list[str] | None = None,
    rows: Count | None = ROWS,
    settings: dict[str, dict[str, Any]] | None = None,
    reads: dict[str, dict[str, str]] | None = None,
    roles: dict[str, str] | None = None,
    seed: int | None = None,
    replace: bool = False,
    force: bool = False,
    accept: Count | None = None,
    candidates: Count | None = None,
    max_dollars: Dollars | None = None,
    batch: bool = False,
    wait: bool = True,
    runner: str | None = None,
) -> list[Outcome]:
    outcomes: list[Outcome] = []
    errors: list[EverspringError] = []
    seed = seed_of(seed)
    with workplace(roles, max_dollars, batch=batch, wait=wait, runner=runner) as place:
        tell(lambda: tell_lives(place.settings))
        for stage, its in by_stage(STAGES, methods).items():
            place.progress.say(f"── {stage}", "bold")
            state: Any = FLOWS[stage](
                methods=its,
                rows=rows,
                settings=settings,
                reads=reads,
                roles=roles,
                seed=seed,
                replace=replace,
                force=force,
                accept=accept,
                candidates=candidates,
                max_dollars=max_dollars,
                batch=batch,
                wait=wait,
                runner=runner,
                return_state=True,
            )
            result = state.result(raise_on_failure=False)
            if isinstance(result, StageFailure):
                errors += result.errors
                outcomes += result.outcomes
            elif isinstance(result, BaseException):
                raise result
            else:
                outcomes += result
    return noting("lifecycle", lambda: _ended(outcomes, errors))


def _ended(outcomes: list[Outcome], errors: list[EverspringError]) -> list[Outcome]:
    if errors:
        raise StageFailure(errors, outcomes)
    return outcomes
