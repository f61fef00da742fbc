"""The flow that looks at a version which is there: every screen, every measure, no change."""

from prefect import flow, task
from prefect.artifacts import create_table_artifact
from prefect.cache_policies import NO_CACHE
from prefect.runtime import flow_run

from catalog.store import TableRef
from flows.workplace import at_work, workplace
from tasks.audit import audit_version
from tasks.outcome import Outcome


@flow(name="audit", description="Screen and measure a published version.", flow_run_name="audit: {table}")
def audit(table: str) -> Outcome:
    """Show every row of a version to every screen, and take every measure of it."""
    with workplace():
        return _audit.with_options(task_run_name=f"audit {table}")(table)


@task(name="audit", cache_policy=NO_CACHE)
def _audit(table: str) -> Outcome:
    place = at_work()
    with place.progress.table(table):
        outcome = audit_version(
            place.lake, TableRef.parse(table), place.settings, place.progress, flow_run=str(flow_run.id or "")
        )
    found = [{"screen": name, "rows": count} for name, count in outcome.rejected.items()]
    create_table_artifact(key="audit", table=found, description=f"What screens found in {table}")
    return outcome
