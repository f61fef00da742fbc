"""Deployments: what `infra/prefect.yaml` and `infra/automations.yaml` say, brought to Prefect; a program of its own.

What has not changed is left as it is, with its scheduled runs. Schedules and automations that were switched off in
Prefect's UI stay off.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from infra.prefect_server import configure
from infra.settings import Settings, load_settings

if TYPE_CHECKING:
    from prefect.client.orchestration import SyncPrefectClient
    from prefect.client.schemas.responses import DeploymentResponse

INFRA = Path(__file__).parents[1] / "infra"
DEPLOYMENTS, AUTOMATIONS = INFRA / "prefect.yaml", INFRA / "automations.yaml"
POOL = "everspring"
WEBHOOK = "everspring-webhook"
"""Prefect's block that keeps the address of the webhook, encrypted."""
AT_ONCE = 2
"""Flow runs that are at work at once, unless the pool is changed in Prefect's UI."""
_PAGE = 200


def register(settings: Settings) -> None:
    """Bring the pool, the deployments and the automations to the Prefect server of the environment."""
    from prefect.client.orchestration import get_client

    with get_client(sync_client=True) as client:
        _make_pool(client)
        for declared in yaml.safe_load(DEPLOYMENTS.read_text())["deployments"]:
            _drop_missed(client, _deploy(client, declared))
        webhook = _keep_webhook(client, settings)
        for declared in yaml.safe_load(AUTOMATIONS.read_text()):
            _automate(client, declared, webhook)


def _make_pool(client: "SyncPrefectClient") -> None:
    from prefect.client.schemas.actions import WorkPoolCreate
    from prefect.exceptions import ObjectAlreadyExists
    from prefect.workers.process import ProcessWorker

    template = ProcessWorker.get_default_base_job_template()
    pool = WorkPoolCreate(name=POOL, type="process", base_job_template=template, concurrency_limit=AT_ONCE)
    with suppress(ObjectAlreadyExists):  # as somebody may have changed it
        client.create_work_pool(pool)


def _deploy(client: "SyncPrefectClient", declared: Mapping[str, Any]) -> "DeploymentResponse":
    """Register one deployment, where it is not registered just so; returns it as it was before, or as it is now."""
    from prefect.client.schemas.actions import DeploymentScheduleCreate
    from prefect.client.schemas.objects import ConcurrencyOptions
    from prefect.client.schemas.schedules import construct_schedule
    from prefect.exceptions import ObjectNotFound
    from prefect.flows import load_flow_from_entrypoint
    from prefect.utilities.callables import parameter_schema

    flow = load_flow_from_entrypoint(declared["entrypoint"])
    schema = parameter_schema(flow).model_dump_for_openapi()
    version = hashlib.sha256(json.dumps([declared, schema], sort_keys=True).encode()).hexdigest()[:12]
    name = f"{flow.name}/{declared['name']}"
    try:
        before = client.read_deployment_by_name(name)
    except ObjectNotFound:
        before = None
    if before and before.version == version:
        return before
    off = {schedule.slug for schedule in before.schedules if not schedule.active} if before else set[str]()
    schedules = [
        DeploymentScheduleCreate(
            schedule=construct_schedule(cron=each["cron"], timezone=each["timezone"]),
            slug=each["slug"],
            active=each["slug"] not in off,
        )
        for each in declared["schedules"]
    ]
    client.create_deployment(
        client.create_flow_from_name(flow.name),
        declared["name"],
        version=version,
        schedules=schedules,
        concurrency_limit=declared["concurrency_limit"]["limit"],
        concurrency_options=ConcurrencyOptions(collision_strategy=declared["concurrency_limit"]["collision_strategy"]),
        parameters=declared["parameters"],
        description=declared["description"],
        work_pool_name=declared["work_pool"]["name"],
        job_variables=declared["work_pool"]["job_variables"],
        tags=declared["tags"],
        entrypoint=declared["entrypoint"],
        pull_steps=[],
        parameter_openapi_schema=schema,
        enforce_parameter_schema=True,
        paused=before.paused if before else False,
    )
    return client.read_deployment_by_name(name)


def _drop_missed(client: "SyncPrefectClient", deployment: "DeploymentResponse") -> None:
    """Of the scheduled runs that were missed while nothing ran keep the last: it makes up for them all."""
    from prefect.client.schemas.filters import (
        DeploymentFilter,
        DeploymentFilterId,
        FlowRunFilter,
        FlowRunFilterExpectedStartTime,
        FlowRunFilterState,
        FlowRunFilterStateType,
    )
    from prefect.client.schemas.objects import StateType
    from prefect.client.schemas.sorting import FlowRunSort
    from prefect.states import Cancelled

    missed = client.read_flow_runs(
        deployment_filter=DeploymentFilter(id=DeploymentFilterId(any_=[deployment.id])),
        flow_run_filter=FlowRunFilter(
            state=FlowRunFilterState(type=FlowRunFilterStateType(any_=[StateType.SCHEDULED])),
            expected_start_time=FlowRunFilterExpectedStartTime.model_validate({"before_": datetime.now(UTC)}),
        ),
        sort=FlowRunSort.EXPECTED_START_TIME_DESC,
        limit=_PAGE,
    )
    for run in [run for run in missed if run.auto_scheduled][1:]:
        client.set_flow_run_state(run.id, Cancelled(message="Missed: no worker was there"), force=True)


def _keep_webhook(client: "SyncPrefectClient", settings: Settings) -> str:
    """Keep the address of the webhook in a block of Prefect's; returns the block's id, nothing where there is none."""
    from prefect.blocks.webhook import Webhook
    from prefect.exceptions import ObjectNotFound

    if settings.webhook:
        block = Webhook(method="POST", url=settings.webhook, headers={"Content-Type": "application/json"})  # type: ignore[arg-type]
        return str(block.save(WEBHOOK, overwrite=True, _sync=True))  # type: ignore[call-arg]
    with suppress(ObjectNotFound):
        client.delete_block_document(client.read_block_document_by_name(WEBHOOK, "webhook").id)
    return ""


def _automate(client: "SyncPrefectClient", declared: Mapping[str, Any], webhook: str) -> None:
    """Register one automation under its name, or bring the one of that name up to date."""
    from prefect.events.schemas.automations import AutomationCore

    actions: Sequence[Mapping[str, Any]] = [*declared.get("actions", [])]
    if webhook:
        payload = f'{{"automation": {json.dumps(declared["name"])}, "text": {{{{ ({declared["text"]}) | tojson }}}}}}'
        actions = [*actions, {"type": "call-webhook", "block_document_id": webhook, "payload": payload}]
    there = client.read_automations_by_name(declared["name"])
    automation = AutomationCore.model_validate(
        {
            "name": declared["name"],
            "description": declared["description"],
            "enabled": all(each.enabled for each in there),
            "trigger": {"type": "event", "threshold": 1, **declared["trigger"]},
            "actions": actions or [{"type": "do-nothing"}],
        }
    )
    if there:
        client.update_automation(there[0].id, automation)
    else:
        client.create_automation(automation)


if __name__ == "__main__":
    found = load_settings()
    configure(found)
    register(found)
