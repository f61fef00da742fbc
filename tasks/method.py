"""A method: one typed function, one file, one table.

The signature is the contract. `Rows[X]` parameters are the tables it reads (`Partition[X]`: any slice of the table will
do, so it runs over partitions), `LLM` parameters are models given by role, `Embedder` and `Sandbox` parameters what
makes vectors and runs programs, keyword-only parameters are its hyperparameters with the paper's defaults, and the
return type is the shape of its table.
"""

import functools
import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Annotated, Any, TypeVar, get_args, get_origin, get_type_hints

from pydantic import TypeAdapter, ValidationError

from catalog.records import Record, digest
from catalog.store import STAGES
from infra.declared import code_of, declaration, declares, modules_in, summary
from infra.errors import Refusal
from infra.settings import ROLES, Policy, Role
from quality.expectations import Expectation
from tasks.llm import LLM
from tasks.llm.embedder import Embedder
from tasks.prompts import page_of
from tasks.sandbox import Sandbox

T = TypeVar("T")
F = TypeVar("F", bound=Callable[..., Sequence[Record]])

Rows = Sequence
"""A whole table, or all the rows a method makes."""
Partition = Annotated[Sequence[T], "partition"]
"""Some rows of a table: a method that takes these maps row by row, in bounded memory."""

CATEGORIES = {
    "data-augmentation:labelling",
    "data-augmentation:reformation",
    "data-augmentation:co-annotation",
    "data-augmentation:non-llm",
    "general-model-distillation",
    "domain-model-distillation",
    "model-self-improvement",
}
"""The survey's taxonomy: views, not a partition."""


@dataclass(frozen=True)
class Paper:
    """Where a method was published."""

    title: str
    authors: str
    year: int
    arxiv: str = ""
    url: str = ""

    @property
    def link(self) -> str:
        """The address of the paper."""
        return self.url or f"https://arxiv.org/abs/{self.arxiv}"

    @property
    def citation(self) -> str:
        """Authors, year and title in one line."""
        return f"{self.authors} ({self.year}). {self.title}. {self.link}"


@dataclass(frozen=True)
class Input:
    """A table that a method reads: the shape it needs, and the tables to take it from, the first that exists."""

    shape: type[Record]
    tables: tuple[str, ...]
    partitioned: bool


@dataclass(frozen=True)
class Method:
    """A published way of making data, as its file declares it."""

    run: Callable[..., Sequence[Record]]
    id: str
    stage: str
    paper: Paper
    summary: str
    categories: tuple[str, ...]
    also: tuple[str, ...]
    expects: tuple[Expectation, ...]
    screens: Mapping[str, Policy]
    inputs: Mapping[str, Input]
    roles: Mapping[str, Role]
    needs: Mapping[str, type]
    settings: Mapping[str, "Setting"]
    shape: type[Record]
    module: ModuleType = field(repr=False)

    @property
    def table(self) -> str:
        """The table it writes."""
        return f"{self.stage}.{self.id}"

    @property
    def partitioned(self) -> bool:
        """Whether it maps row by row, so that it can run over partitions of its one input."""
        return len(self.inputs) == 1 and all(read.partitioned for read in self.inputs.values())

    @functools.cached_property
    def code(self) -> str:
        """A hash of the method's file, its page of prompts and the operators it uses: changed code, a new version."""
        page = page_of(self.module.__file__ or "")
        prompts = [page.read_text("utf-8")] if page.exists() else []
        return digest([*code_of(self.module, "tasks.operators."), *prompts])

    def configure(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """The settings of a run: the defaults, with `given` (values, or their text) put in.

        Raises:
            Refusal: for a setting the method does not have, or a value of another type.
        """
        out = {name: setting.default for name, setting in self.settings.items()}
        for name, value in given.items():
            if name not in self.settings:
                raise Refusal.unknown(f"{self.id}: setting", name, self.settings)
            out[name] = self.settings[name].parse(f"{self.id}.{name}", value)
        return out


@dataclass(frozen=True)
class Setting:
    """A hyperparameter: its type and the paper's value."""

    type: Any
    default: Any

    def parse(self, subject: str, value: Any) -> Any:
        """The value as the setting's type; text is read as that type."""
        adapter: TypeAdapter[Any] = TypeAdapter(self.type)
        try:
            if not isinstance(value, str) or self.type is str:
                return adapter.validate_python(value)
            if get_origin(self.type) in (tuple, list) and not value.lstrip().startswith("["):
                return adapter.validate_python([part.strip() for part in value.split(",")])
            return (
                adapter.validate_json(value)
                if value.lstrip().startswith(("[", "{"))
                else adapter.validate_python(value)
            )
        except ValidationError as error:
            wanted = getattr(self.type, "__name__", str(self.type))
            raise Refusal(
                f"{subject}: {value!r} was given, {wanted} is wanted; {error.errors()[0]['msg']} "
                f"(default {self.default!r})"
            ) from None


def method(
    *,
    paper: Paper,
    categories: Sequence[str],
    reads: Mapping[str, str | Sequence[str]],
    also: Sequence[str] = (),
    expects: Sequence[Expectation] = (),
    screens: Mapping[str, Policy] | None = None,
) -> Callable[[F], F]:
    """Declare the decorated function a method. Only what its signature cannot say is said here.

    Args:
        paper: where it was published.
        categories: the survey's categories that it belongs to.
        reads: for each `Rows` parameter, the table it reads by default, or several to take the first that exists.
        also: further stages in which the survey places it.
        expects: what a version of its table promises; a broken one keeps the version from being published.
        screens: text screen → what becomes of a row at fault, where its default does not suit the method, such as
            `{"toxicity": "off"}` for one whose rejected answers are meant to be bad.
    """
    return declares(
        "__everspring__",
        {
            "paper": paper,
            "categories": tuple(categories),
            "also": tuple(also),
            "expects": tuple(expects),
            "screens": dict(screens or {}),
            "reads": {name: (t,) if isinstance(t, str) else tuple(t) for name, t in reads.items()},
        },
    )


def read_method(module: ModuleType) -> Method:
    """The method that a module declares.

    Raises:
        TypeError: where the function breaks the contract, saying how.
    """
    stage, name = module.__name__.split(".")[-2:]
    function, declared = declaration(module, "__everspring__", "method", "method")
    inputs, roles, needs, settings = _read_parameters(name, function, declared["reads"])
    shape = _row_shape(get_type_hints(function).get("return"))
    if shape is None:
        raise TypeError(f"{name}: returns {get_type_hints(function).get('return')!r}; wanted Rows[a record]")
    if stray := set(declared["reads"]) - set(inputs):
        raise TypeError(f"{name}: reads names {sorted(stray)}, which are no Rows parameters")
    if stray := set(declared["categories"]) - CATEGORIES or set(declared["also"]) - set(STAGES):
        raise TypeError(f"{name}: {sorted(stray)} are no categories or stages; see CATEGORIES and STAGES")
    return Method(
        run=function,
        id=name,
        stage=stage,
        paper=declared["paper"],
        summary=summary(module),
        categories=declared["categories"],
        also=declared["also"],
        expects=declared["expects"],
        screens=declared["screens"],
        inputs=inputs,
        roles=roles,
        needs=needs,
        settings=settings,
        shape=shape,
        module=module,
    )


def _read_parameters(
    name: str, function: Callable[..., Any], reads: Mapping[str, tuple[str, ...]]
) -> tuple[dict[str, Input], dict[str, Role], dict[str, type], dict[str, Setting]]:
    """What a method's signature says: the tables it reads, the models and whatever else it needs, its settings."""
    hints = get_type_hints(function, include_extras=True)
    inputs: dict[str, Input] = {}
    roles: dict[str, Role] = {}
    needs: dict[str, type] = {}
    settings: dict[str, Setting] = {}
    for parameter in inspect.signature(function).parameters.values():
        hint = hints.get(parameter.name)
        if parameter.kind is parameter.KEYWORD_ONLY:
            if parameter.default is parameter.empty:
                raise TypeError(f"{name}: setting {parameter.name} has no default; give it the paper's value")
            settings[parameter.name] = Setting(hint, parameter.default)
        elif hint is LLM:
            role = "generator" if parameter.name == "llm" else parameter.name
            if role not in ROLES:
                raise TypeError(f"{name}: {role} is no role; name the parameter llm or one of {', '.join(ROLES)}")
            roles[parameter.name] = role
        elif hint in (Embedder, Sandbox):
            needs[parameter.name] = hint
        elif shape := _row_shape(hint):
            if parameter.name not in reads:
                raise TypeError(f"{name}: {parameter.name} reads no table; name one in @method(reads={{...}})")
            inputs[parameter.name] = Input(shape, reads[parameter.name], partitioned=get_origin(hint) is Annotated)
        else:
            wanted = "Rows[...], LLM, Embedder, Sandbox or keyword-only"
            raise TypeError(f"{name}: parameter {parameter.name} is {hint!r}; wanted {wanted}")
    return inputs, roles, needs, settings


def _row_shape(hint: Any) -> type[Record] | None:
    if get_origin(hint) is Annotated:
        hint = get_args(hint)[0]
    if get_origin(hint) is Sequence:
        (shape,) = get_args(hint)
        if isinstance(shape, type) and issubclass(shape, Record):
            return shape
    return None


@functools.cache
def load_methods() -> Mapping[str, Method]:
    """Every method, by id, in the order of the stages: each file of `tasks/<stage>/` is one."""
    here = Path(__file__).parent
    found: dict[str, Method] = {}
    for stage in STAGES:
        for module in modules_in(f"tasks.{stage}", here / stage):
            loaded = read_method(module)
            if loaded.id in found:
                raise TypeError(f"{loaded.id}: stands in {found[loaded.id].stage} and {stage}; one name, one method")
            found[loaded.id] = loaded
    return found


def find_method(name: str) -> Method:
    """The method of that id.

    Raises:
        Refusal: for an unknown one, naming the nearest.
    """
    methods = load_methods()
    if name not in methods:
        raise Refusal.unknown("method", name, methods)
    return methods[name]
