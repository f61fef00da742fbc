"""The commands about the catalogue as pages: build them, and serve them to this machine."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from flows.console import console
from infra.errors import Failure

if TYPE_CHECKING:
    from tasks.site import Wish

PORT = 4300
out = console()
err = console(stderr=True)
app = typer.Typer(help="The catalogue as pages: build them, serve them.", no_args_is_help=True)

Folder = Annotated[
    Path | None, typer.Option("--out", "-o", metavar="FOLDER", help="Where to; site in the home folder where left out.")
]
Samples = Annotated[int, typer.Option(min=1, max=50, help="Rows that are shown of each version.")]


@app.command()
def build(folder: Folder = None, samples: Samples = 4) -> None:
    """Write every table, version, sample row and method as pages, to be opened from the folder or put on any server."""
    _build(_wish(folder, samples))


@app.command()
def serve(
    folder: Folder = None,
    samples: Samples = 4,
    port: Annotated[
        int | None,
        typer.Option(min=1, max=65535, show_default="4300, or the next free one", help="Port on loopback."),
    ] = None,
    fresh: Annotated[bool, typer.Option("--build/--no-build", help="Build it anew first.")] = True,
) -> None:
    """Build the site and serve it to this machine until Ctrl-C."""
    from infra.web import free_port
    from tasks.site import MARK, Server

    wish = _wish(folder, samples)
    if fresh or not (wish.folder / MARK).exists():
        _build(wish)
    try:
        server = Server(wish.folder, port or free_port(PORT))
    except OSError as error:
        raise Failure(
            f"site: port {port} cannot be used ({error.strerror}), a free one is wanted; name another with --port"
        ) from None
    with server:
        out.print(f"{server.address}  Ctrl-C ends it", highlight=False)
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            err.print("the site is no longer served", style="dim")


def _wish(folder: Path | None, samples: int) -> "Wish":
    from infra.settings import load_settings
    from tasks.site import Wish

    return Wish(folder or load_settings().folder() / "site", samples)


def _build(wish: "Wish") -> None:
    from rich.progress import Progress

    from catalog.store import Lake
    from infra.settings import load_settings
    from tasks.site import build as write

    with Progress(console=console(stderr=True), transient=True) as bar:
        task = bar.add_task("site", total=None)
        made = write(
            Lake(load_settings()),
            wish,
            lambda what, done, of: bar.update(task, description=what, completed=done, total=of),
        )
    out.print(
        Text(
            f"{made.tables:,} tables, {made.versions:,} versions, {made.rows:,} rows, {made.methods:,} methods: "
            f"{(wish.folder / 'index.html').absolute().as_uri()}"
        ),
        soft_wrap=True,
    )
