"""Bubblewrap: a process for each program, in namespaces of its own, under a list of system calls that it may make.

It sees Python with its standard library, read-only, and a scratch folder in memory: no other file, process, device but
/dev/null, network or variable. `harness` runs the program inside and reports; what it reports is read as what it is,
the word of a program that may lie about itself.
"""

import fcntl
import marshal
import math
import os
import re
import selectors
import shutil
import subprocess
import sys
import sysconfig
import time
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path

from catalog.records import clean
from infra.errors import Failure
from tasks.sandbox import harness, seccomp
from tasks.sandbox.program import STATUSES, Bounds, Program, Ran, Status
from tasks.sandbox.sandbox import Sandbox

_KIB, _MIB = 1 << 10, 1 << 20
_LIBRARY = f"/usr/{sys.platlibdir}/python{sys.version_info[0]}.{sys.version_info[1]}"
_MODULES = ("_bz2", "_crypt", "_ctypes", "_decimal", "_hashlib", "_lzma", "_sqlite3", "_ssl", "_uuid", "math", "zlib")
"""Extension modules that may need libraries beside those of Python itself."""
_SIGNALS: dict[int, tuple[Status, str]] = {
    9: ("timeout", "killed: out of processor time"),
    24: ("timeout", "killed: out of processor time"),
    31: ("forbidden", "killed: a system call that it may not make"),
}
_PROBE = Program(
    code="""
import os, socket
def refused(attempt):
    try:
        attempt()
    except OSError as error:
        return type(error).__name__
held = [refused(a) for a in (os.fork, socket.socket, lambda: os.kill(1, 0), lambda: open("/etc/passwd"))]
held += [sorted(os.environ), refused(lambda: open("/probe", "w"))]
""",
    result="held",
)
_HELD = "['PermissionError', 'PermissionError', 'PermissionError', 'FileNotFoundError', [], 'OSError']"


class Bubblewrap(Sandbox):
    """Runs each program in a bubblewrap of its own."""

    name = "bubblewrap"

    def __init__(self, command: Sequence[str], calls: bytes) -> None:
        self._command = command
        self._calls = calls

    def run_one(self, program: Program, bounds: Bounds) -> Ran:
        """What came of a program.

        Raises:
            Failure: where the sandbox itself no longer starts: that is not the program's doing.
        """
        began = time.monotonic()
        told, tell = os.pipe()
        files = [tell, _sealed(_payload(program, bounds)), _sealed(self._calls), _sealed(_bytes(program.stdin))]
        try:
            command = [*self._command, *_inside(bounds, payload=files[1], report=tell, calls=files[2])]
            with _start(command, files[3], files[:3]) as process:
                os.close(files.pop(0))
                assert process.stdout
                stdout = process.stdout.fileno()
                # The result comes beside what is printed, with a status and an error's line.
                most = {stdout: bounds.output * _KIB, told: bounds.output * _KIB * 4 + 4 * _KIB}
                try:
                    read, fault = _drain(process, most, began + bounds.seconds)
                finally:
                    process.kill()
        finally:
            for file in (told, *files):
                os.close(file)
        said = clean(read[stdout][: bounds.output * _KIB].decode("utf-8", "replace"))
        status, error, result = _outcome(fault, bytes(read[told]), process.returncode, bounds)
        return Ran(status=status, stdout=said, result=result, error=error, seconds=time.monotonic() - began)


@cache
def probe() -> Sandbox | str:
    """A sandbox that has been seen to hold, or why there is none."""
    found, calls = shutil.which("bwrap"), seccomp.program()
    if not sys.platform.startswith("linux") or not found:
        return "is not installed"
    if calls is None:
        return "has no list of system calls for this kind of processor"
    try:
        made = Bubblewrap([found, *_outside()], calls)
        ran = made.run_one(_PROBE, Bounds(seconds=30))
    except (Failure, OSError, subprocess.SubprocessError):
        return "cannot make namespaces here, as in a container that forbids them"
    if ran.result != _HELD:
        return f"does not hold here ({ran.status} {ran.error or ran.result})"
    return made


def _outside() -> list[str]:
    """The options that are the same for every program: namespaces, and what can be seen of this machine."""
    stdlib, binary = sysconfig.get_path("stdlib"), os.path.realpath(getattr(sys, "_base_executable", sys.executable))
    options = ["--unshare-all", "--unshare-user", "--uid", "65534", "--gid", "65534", "--cap-drop", "ALL"]
    options += ["--hostname", "sandbox", "--new-session", "--die-with-parent", "--clearenv"]
    for name, value in (("PYTHONHOME", "/usr"), ("PYTHONHASHSEED", "0"), ("LD_LIBRARY_PATH", "/usr/lib")):
        options += ["--setenv", name, value]
    options += ["--ro-bind", binary, "/usr/bin/python3", "--ro-bind", stdlib, _LIBRARY]
    for place, file in _libraries([binary, *_extensions(stdlib)]):
        options += ["--ro-bind", file, place]
    for folder in ("site-packages", "dist-packages"):
        if Path(stdlib, folder).is_dir():
            options += ["--tmpfs", f"{_LIBRARY}/{folder}", "--remount-ro", f"{_LIBRARY}/{folder}"]
    return [*options, "--dev-bind", "/dev/null", "/dev/null"]


def _inside(bounds: Bounds, *, payload: int, report: int, calls: int) -> list[str]:
    """The options and the command of one program."""
    return [
        *("--size", str(bounds.files * _MIB), "--tmpfs", "/tmp", "--chdir", "/tmp", "--remount-ro", "/"),  # noqa: S108
        *("--seccomp", str(calls), "--", "/usr/bin/python3", "-sSPBX", "utf8"),
        *("-c", _harness(), str(payload), str(report)),
    ]


@cache
def _harness() -> str:
    return Path(harness.__file__).read_text("utf-8")


def _extensions(stdlib: str) -> list[str]:
    return [str(file) for name in _MODULES for file in sorted(Path(stdlib, "lib-dynload").glob(f"{name}.*so"))]


def _libraries(binaries: Iterable[str]) -> list[tuple[str, str]]:
    """The shared libraries that binaries of ours need: where they go inside, and where they are."""
    command = [shutil.which("ldd") or "ldd", *binaries]
    listed = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout  # noqa: S603
    needed = {f"/usr/lib/{name}": file for name, file in re.findall(r"(\S+) => (/\S+)", listed)}
    loaders = {file: file for file in re.findall(r"^\s*(/\S+) \(0x", listed, re.MULTILINE)}
    return sorted({**needed, **loaders}.items())


def _payload(program: Program, bounds: Bounds) -> bytes:
    """What the harness is given. The processor's seconds are whole ones; the clock is ours to watch."""
    seconds = math.ceil(bounds.seconds)
    limits = [
        ("RLIMIT_CPU", (seconds, seconds + 1)),
        ("RLIMIT_AS", (bounds.memory * _MIB,) * 2),
        ("RLIMIT_STACK", (8 * _MIB,) * 2),
        ("RLIMIT_FSIZE", (bounds.files * _MIB,) * 2),
        ("RLIMIT_NOFILE", (64, 64)),
        ("RLIMIT_NPROC", (0, 0)),
        ("RLIMIT_CORE", (0, 0)),
    ]
    return marshal.dumps((limits, program.code, program.result, bounds.output * _KIB))


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _sealed(data: bytes) -> int:
    """A file in memory that nobody can change any more, to read from its start."""
    file = os.memfd_create("everspring", os.MFD_ALLOW_SEALING | os.MFD_CLOEXEC)
    with open(file, "wb", closefd=False) as opened:
        opened.write(data)
    os.lseek(file, 0, os.SEEK_SET)
    fcntl.fcntl(
        file, fcntl.F_ADD_SEALS, fcntl.F_SEAL_WRITE | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_SEAL
    )
    return file


def _start(command: Sequence[str], stdin: int, files: Sequence[int]) -> subprocess.Popen[bytes]:
    null = subprocess.DEVNULL
    try:
        return subprocess.Popen(  # noqa: S603 - a command of ours; what a model wrote is in a file
            command, stdin=stdin, stdout=subprocess.PIPE, stderr=null, pass_fds=files, env={}
        )
    except OSError as error:
        raise _unstarted(str(error)) from None


def _drain(
    process: subprocess.Popen[bytes], most: Mapping[int, int], deadline: float
) -> tuple[dict[int, bytearray], Status | None]:
    """What a process says until it ends, or until it has said too much in one of the files, or the time is up.

    Its end counts, not that of the files: it may close them long before.
    """
    read = {file: bytearray() for file in most}
    end, ended = os.pidfd_open(process.pid), False
    with selectors.DefaultSelector() as selector:
        for file in (*most, end):
            selector.register(file, selectors.EVENT_READ)
        try:
            while True:
                left = deadline - time.monotonic()
                ready = [key.fd for key, _ in selector.select(0 if ended else max(left, 0))]
                if left <= 0 and not ended:
                    return read, "timeout"
                if ended and not ready:
                    return read, None
                for file in ready:
                    part = os.read(file, 1 << 16) if file != end else b""
                    ended = ended or file == end
                    if not part:
                        selector.unregister(file)
                    elif len(read[file]) + len(part) > most[file]:
                        read[file] += part
                        return read, "output"
                    else:
                        read[file] += part
        finally:
            os.close(end)


def _outcome(fault: Status | None, report: bytes, code: int, bounds: Bounds) -> tuple[Status, str, str]:
    """Status, error and result: what was seen from outside, else what the program's harness says."""
    if fault == "timeout":
        return "timeout", f"it ran for more than {bounds.seconds:g} s", ""
    if fault == "output":
        return "output", f"it wrote more than {bounds.output} KiB", ""
    if not report.startswith(b"+"):
        raise _unstarted(f"status {code}")
    status, *said = clean(report[1:].decode("utf-8", "replace")).split("\0", 2)
    if len(said) < 2 or status not in STATUSES:
        return (*_SIGNALS.get(code - 128, ("exit" if code < 128 else "error", _ended(code))), "")
    error, result = said
    if len(result) > bounds.output * _KIB:
        return "output", f"its result has more than {bounds.output} KiB", ""
    return status, error, result


def _ended(code: int) -> str:
    return f"it ended with status {code} before its end" if code < 128 else f"killed by signal {code - 128}"


def _unstarted(why: str) -> Failure:
    return Failure(
        f"sandbox: bubblewrap did not start the program ({why}), a start is wanted; is the machine out of memory or "
        "processes? Run again, or set EVERSPRING_SANDBOX=monty"
    )
