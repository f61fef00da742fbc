"""The flow that looks after what is kept: expiry, compaction, signatures, validation, clean-up."""

from typing import Annotated, Any

from prefect import flow, get_run_logger, task
from prefect.artifacts import create_table_artifact
from prefect.cache_policies import NO_CACHE
from pydantic import Field

from catalog.store import Lake
from infra.errors import Failure
from infra.settings import load_settings
from tasks.upkeep import Plan, Step, maintain


class MaintenanceFailure(Failure):
    """A step found something that somebody must look at; every step was taken all the same."""

    def __init__(self, steps: list[Step]) -> None:
        self.steps = steps
        bad = [f"{step.step} ({step.note})" for step in steps if step.bad]
        super().__init__(f"maintenance: found what is not as it should be: {'; '.join(bad)}; see catalog.maintenance")


@flow(
    name="maintenance",
    description="Expire old versions, merge small files, check the last versions, remove what nothing needs.",
    flow_run_name="maintenance: keep {keep_days} days",
)
def maintenance(
    keep_days: Annotated[float, Field(ge=0, description="Versions younger than so many days stay readable.")] = 90.0,
    grace: Annotated[
        float, Field(ge=0, description="Seconds that readers have before files nothing needs are removed.")
    ] = 60.0,
    answers_days: Annotated[
        float | None,
        Field(ge=0, description="Remove answers older than so many days that no row was made from; empty: none."),
    ] = None,
    validate: Annotated[
        bool, Field(description="Check the last version of every table: signature and promises.")
    ] = True,
    dry_run: Annotated[bool, Field(description="Only say what would be done.")] = False,
) -> list[Step]:
    """Take every step of a maintenance; versions that are pinned, last, or read by kept ones stay in any case."""
    plan = Plan(keep_days=keep_days, grace=grace, answers_days=answers_days, validate=validate, dry_run=dry_run)
    steps = _maintain(plan)
    if any(step.bad for step in steps):
        raise MaintenanceFailure(steps)
    return steps


@task(name="maintain", cache_policy=NO_CACHE)
def _maintain(plan: Plan) -> list[Step]:
    settings, logger = load_settings(), get_run_logger()
    done: list[Step] = []

    def tell(step: Step) -> None:
        done.append(step)
        logger.info("%s: %s of %s; %s files, %s bytes freed %s", *_told(step))

    try:
        return maintain(Lake(settings), settings, plan, tell)
    finally:
        create_table_artifact(
            key="maintenance", table=[line(step) for step in done], description="What each step found and did"
        )


def _told(step: Step) -> tuple[Any, ...]:
    return step.step, step.done, step.found, step.files, step.bytes, step.note


def line(step: Step) -> dict[str, Any]:
    """A step as a line of the results."""
    return {
        "step": step.step,
        "found": step.found,
        "done": step.done,
        "files freed": step.files,
        "bytes freed": step.bytes,
        "seconds": round(step.seconds, 1),
        "note": step.note,
    }
