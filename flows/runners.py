"""Runners: where the partitions of a run are made. In its own process, on threads, or on a cluster of Dask or Ray."""

import importlib.util
import os
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from infra.errors import Failure, Refusal
from infra.settings import Settings
from tasks.portions import Made, Portion

if TYPE_CHECKING:
    from prefect.task_runners import TaskRunner

PACKAGES = {"threads": (), "dask": ("prefect_dask", "distributed"), "ray": ("prefect_ray", "ray")}
"""Runner → what it needs to be installed."""
LOOPBACK = "127.0.0.1"


@dataclass(frozen=True)
class Named:
    """A runner by name, and the address of its cluster where that is not to be one of this machine's own."""

    name: str
    address: str = ""

    @classmethod
    def parse(cls, text: str) -> "Named":
        """Read `NAME` or `NAME@ADDRESS`.

        Raises:
            Refusal: for an unknown one, one that is not installed, or an address that cannot be.
        """
        name, at, address = text.partition("@")
        if name not in PACKAGES:
            raise Refusal.unknown("runner", name, PACKAGES)
        if at and (not address or not PACKAGES[name]):
            wanted = "dask@tcp://HOST:8786 or ray@ray://HOST:10001 is wanted"
            raise Refusal(f"runner {text!r}: has no address of a cluster, {wanted}; or leave out the @")
        if missing := [package for package in PACKAGES[name] if importlib.util.find_spec(package) is None]:
            raise Refusal(
                f"runner {name}: {missing[0]} is not installed, it is wanted; `pip install prefect-{name}`, "
                "or leave out --runner"
            )
        return cls(name, address)


class Runner:
    """Has portions made by Prefect's task runner of that name, which starts with the first of them.

    Portions cross as references, with those settings that a command line has changed; the others a worker takes from
    its own environment and `everspring.toml`, keys among them.
    """

    def __init__(self, named: Named, settings: Settings, given: Mapping[str, Any]) -> None:
        self.named = named
        self._settings = settings
        self._given = {**given, "home": str(settings.home.absolute())}
        self._stack = ExitStack()
        self._runner: TaskRunner[Any] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def __call__(self, portions: Iterable[Portion]) -> Iterator[Made]:
        """What is made of each portion, in their order; twice as many are under way as there are workers.

        Raises:
            Failure: where there is no cluster at the address.
        """
        from flows.portions import make_portion

        if self._runner is None:
            self._runner = self._started()
        ahead = 2 * self._workers()
        under_way: deque[Any] = deque()
        try:
            for portion in portions:
                last = portion.first + portion.size
                named = make_portion.with_options(
                    task_run_name=f"{portion.basis.method}: rows {portion.first + 1:,} to {last:,}"
                )
                under_way.append(self._runner.submit(named, {"portion": portion, "given": self._given}))
                if len(under_way) >= ahead:
                    yield under_way.popleft().result()
            while under_way:
                yield under_way.popleft().result()
        finally:
            for future in under_way:  # what is under way writes to a folder that is about to go
                future.wait()

    def _workers(self) -> int:
        """How many portions can be made at a time."""
        runner: Any = self._runner
        if self.named.address and self.named.name == "dask":
            return sum(runner.client.ncores().values()) or 1
        if self.named.address:
            import ray

            return int(ray.cluster_resources().get("CPU", 1))
        return self._settings.workers or os.cpu_count() or 1

    def _started(self) -> "TaskRunner[Any]":
        name, address = self.named.name, self.named.address
        make = {"threads": self._threads, "dask": self._dask, "ray": self._ray}[name]
        try:
            runner = self._stack.enter_context(make())
            if name == "dask":
                _ = runner.client  # connects
        except Exception as error:  # noqa: BLE001 - whatever they raise, there is no cluster
            why = (str(error).splitlines() or [type(error).__name__])[0]
            what = f"the cluster at {address} cannot be reached" if address else "a cluster here does not start"
            raise Failure(f"runner {name}: {what} ({why}); see EVERSPRING_RUNNER, or leave out --runner") from None
        return runner

    def _threads(self) -> Any:
        from prefect.task_runners import ThreadPoolTaskRunner

        return ThreadPoolTaskRunner(max_workers=self._workers())

    def _dask(self) -> Any:
        from prefect_dask.task_runners import DaskTaskRunner

        if self.named.address:
            return DaskTaskRunner(address=self.named.address)
        return DaskTaskRunner(
            cluster_kwargs={
                "n_workers": self._workers(),
                "threads_per_worker": 1,
                "host": LOOPBACK,
                "dashboard_address": None,
                "local_directory": str(self._settings.folder("dask")),
            }
        )

    def _ray(self) -> Any:
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # nothing phones home
        from prefect_ray.task_runners import RayTaskRunner

        if self.named.address:
            return RayTaskRunner(address=self.named.address)
        return RayTaskRunner(
            init_kwargs={
                "num_cpus": self._workers(),
                "include_dashboard": False,
                "log_to_driver": False,
                "object_store_memory": 100 << 20,  # only references are put there
                "_node_ip_address": LOOPBACK,
            }
        )
