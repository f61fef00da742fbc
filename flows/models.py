"""`everspring models`: which model each role has, whether it answers now, and the embedded one for other programs."""

import json
import secrets
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from importlib import import_module
from typing import Annotated, Any, Literal

import typer
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from rich import box
from rich.table import Table
from rich.text import Text

from flows.console import console
from infra.errors import EverspringError, Failure
from infra.settings import EMBEDDED, ROLES, Endpoint, Role, Settings, load_settings

app = typer.Typer(help="Show which model each role has, and try each of them.", invoke_without_command=True)

_KINDS: dict[Role, str] = {"embedder": "embedding", "image": "image"}
"""What a role's model is asked for, where that is not an answer to a chat."""
_ALWAYS: tuple[Role, ...] = ("generator", "judge", "student")
"""Roles that any model can have; those of the others are not guessed from them."""
_AT_ONCE = 8


@dataclass(frozen=True)
class Trial:
    """What became of one live request to a model: seconds, tokens and dollars, None where not known.

    `schema` says whether the answer followed a JSON schema; None where none was asked for. `error` is why there is no
    answer, empty where there is one.
    """

    kind: str
    seconds: float = 0.0
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    cost: float | None = None
    schema: bool | None = None
    error: str = ""


@dataclass(frozen=True)
class Seat:
    """A model of a role, and how it was tried; `model` is empty where its endpoint was not asked for the name."""

    role: Role
    endpoint: str
    model: str
    trial: Trial | None


@app.callback()
def models(
    context: typer.Context,
    test: Annotated[bool, typer.Option("--test/--no-test", help="Send each model one small request.")] = True,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
) -> None:
    """Show which model each role has, and try each of them with one small request.

    The exit code is 1 where a model does not answer.
    """
    if context.invoked_subcommand:
        return
    seats = seated(load_settings(), test=test)
    if as_json:
        print(json.dumps([asdict(seat) for seat in seats], ensure_ascii=False, indent=2))
    else:
        _show(seats)
    if any(seat.trial and seat.trial.error for seat in seats):
        raise typer.Exit(1)


@app.command()
def serve(
    host: Annotated[str, typer.Option(help="The address to listen at; 0.0.0.0 lets other machines in.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 for any free one.")] = 8080,
    slots: Annotated[int | None, typer.Option(min=1, max=64, help="Requests that are worked on at once.")] = None,
    context: Annotated[int | None, typer.Option(min=256, max=8192, help="Tokens of context of each of them.")] = None,
) -> None:
    """Serve the embedded model to other programs, as an OpenAI-compatible endpoint, until interrupted."""
    from tasks.llm.embedded import serve_alone
    from tasks.llm.embedded.weights import EMBEDDED_MODEL

    sizes = {"embedded_slots": slots, "embedded_context": context}
    settings = load_settings(**{name: size for name, size in sizes.items() if size is not None})
    with serve_alone(settings, host, port) as (url, server):
        console().print(f"OPENAI_BASE_URL  {url}\nmodel            {EMBEDDED_MODEL}\nCtrl-C ends it", highlight=False)
        try:
            status = server.wait()
        except KeyboardInterrupt:
            return
        raise Failure(f"embedded model: its server ended with status {status}, it was to serve on; start it again")


def seated(settings: Settings, *, test: bool) -> list[Seat]:
    """Every role's models; each distinct one is tried once, whatever the roles that share it."""
    chosen = list(_chosen(settings))
    if not test:
        return [Seat(role, _address(endpoint), _name(endpoint), None) for role, endpoint, _ in chosen]
    distinct: dict[tuple[Endpoint, str], Role] = {(endpoint, kind): role for role, endpoint, kind in reversed(chosen)}
    import_module("tasks.llm.transport")  # takes a second, which is not the models'
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        waiting = {key: pool.submit(_try, settings, role, *key) for key, role in distinct.items()}
        tried = {key: trial.result() for key, trial in waiting.items()}
    return [Seat(role, _address(endpoint), *tried[endpoint, kind]) for role, endpoint, kind in chosen]


def _chosen(settings: Settings) -> Iterator[tuple[Role, Endpoint, str]]:
    """Each role's endpoints, and what they are asked for."""
    for role in ROLES:
        if role in settings.roles or role in _ALWAYS:
            for endpoint in settings.endpoints(role):
                yield role, endpoint, _KINDS.get(role, "chat")


def _try(settings: Settings, role: Role, endpoint: Endpoint, kind: str) -> tuple[str, Trial]:
    """The model's name, and how it answers; whatever is wrong with it stands in the trial."""
    from tasks.ledger import Ledger, keep
    from tasks.llm import LLM, open_models

    # One sending: that an endpoint fails now is what is to be found out.
    once = {"roles": {role: (endpoint,)}, "retries": 0, "attempts": 1, "hedge": False, "batch": False}
    name, began = _name(endpoint), time.perf_counter()
    try:
        with ExitStack() as stack:
            model: LLM = stack.enter_context(open_models(settings.model_copy(update=once))).get(role)
            name = model.model
            if endpoint.url == EMBEDDED:
                _start_embedded(settings, stack)  # not part of how fast it answers
            ledger = stack.enter_context(keep(Ledger()))
            began = time.perf_counter()
            schema, error = _ask(model, kind)
            seconds = time.perf_counter() - began
    except EverspringError as failed:
        return name, Trial(kind, time.perf_counter() - began, error=str(failed))
    if error:
        return name, Trial(kind, seconds, error=error)
    step = ledger.step("method")
    told = not step.unmetered
    return name, Trial(
        kind,
        seconds,
        prompt_tokens=step.prompt_tokens if told else None,
        completion_tokens=step.completion_tokens if told else None,
        cost=ledger.cost,
        schema=schema,
    )


def _start_embedded(settings: Settings, stack: ExitStack) -> None:
    from tasks.llm.embedded import EmbeddedServer

    server = EmbeddedServer(settings)
    stack.callback(server.release)
    server.locate()


class _Colour(BaseModel):
    """What a chat is asked for: small, and wrong in many ways where no schema is heeded."""

    model_config = ConfigDict(extra="forbid", strict=True, title="colour")

    colour: Literal["red", "green", "blue"]
    shade: int = Field(ge=1, le=9)


def _ask(model: Any, kind: str) -> tuple[bool | None, str]:
    """Ask for something that was never asked before; returns whether a schema was followed, and what went wrong."""
    from tasks.llm import Failed, Request

    new = secrets.randbelow(2**31)  # nothing in the call store answers it
    if kind == "embedding":
        answers = model.embed([f"a text to embed, number {new}"])
    elif kind == "image":
        answers = model.draw(["a red circle on white"], sample=new)
    else:
        asked = Request(
            messages=({"role": "user", "content": QUESTION},), schema=_Colour.model_json_schema(), sample=new
        )
        answers = model.ask([asked], str)
    answer = answers[0]
    if isinstance(answer, Failed):
        return None, f"{answer.reason}: {answer.evidence}" if answer.evidence else answer.reason
    return (_obeys(answer.value) if kind == "chat" else None), ""


def _obeys(text: str) -> bool:
    try:
        _Colour.model_validate_json(text)
    except ValidationError:
        return False
    return True


def _address(endpoint: Endpoint) -> str:
    from tasks.llm.connection import redacted

    return endpoint.url if endpoint.url == EMBEDDED else redacted(endpoint.url)


def _name(endpoint: Endpoint) -> str:
    from tasks.llm.embedded.weights import EMBEDDED_MODEL

    return endpoint.model or (EMBEDDED_MODEL if endpoint.url == EMBEDDED else "")


def _show(seats: list[Seat]) -> None:
    table = Table(box=box.SIMPLE_HEAD)
    tested = any(seat.trial for seat in seats)
    for name in ("role", "model", "endpoint", *(("seconds", "tokens", "JSON schema", "state") if tested else ())):
        table.add_column(name, overflow="fold", justify="right" if name in {"seconds", "tokens"} else "left")
    for seat in seats:
        model = Text(seat.model or ("?" if tested else "the one it serves"))
        table.add_row(seat.role, model, Text(seat.endpoint), *(_cells(seat.trial) if seat.trial else ()))
    console().print(table)
    for error in dict.fromkeys(seat.trial.error for seat in seats if seat.trial and seat.trial.error):
        console(stderr=True).print(Text(error, style="red"), soft_wrap=True)


def _cells(trial: Trial) -> tuple[str | Text, ...]:
    seconds = f"{trial.seconds:.2f}"
    if trial.error:
        return seconds, "", "", Text("fails", style="red")
    known = trial.prompt_tokens is not None
    tokens = f"{trial.prompt_tokens} + {trial.completion_tokens}" if known else "not told"
    followed = {True: "followed", False: "not followed", None: ""}[trial.schema]
    return seconds, tokens, followed, Text("answers", style="green")


QUESTION = (
    'Name a colour, red, green or blue, and a shade of it from 1 to 9, as JSON such as {"colour": "green", "shade": 4}.'
)
