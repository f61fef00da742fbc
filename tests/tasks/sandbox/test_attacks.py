"""Programs that try to get out, or to bring the machine down: none does, the run goes on, the verdict is kept."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tasks.sandbox import Bounds, Program, Ran, Sandbox, open_sandbox
from tasks.sandbox.bubblewrap import probe

TIGHT = Bounds(seconds=4)
bubblewrap_only = pytest.mark.skipif(isinstance(probe(), str), reason=f"bubblewrap {probe()}")
BY_BOTH = ["monty", pytest.param("bubblewrap", marks=bubblewrap_only)]


@pytest.fixture(params=BY_BOTH)
def sandbox(request: pytest.FixtureRequest) -> Sandbox:
    return open_sandbox(request.param)


def ran(sandbox: Sandbox, code: str, result: str = "", bounds: Bounds = TIGHT) -> Ran:
    """What came of a program that stands between two harmless ones, which must not notice."""
    before, it, after = sandbox.run(
        [Program(code="x = 1", result="x"), Program(code=code, result=result), Program(code="x = 2", result="x")],
        bounds,
    )
    assert (before.result, after.result) == ("1", "2")
    return it


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("while True: pass", "timeout"),
        ("import time\ntime.sleep(60)", "timeout"),
        ("text = 'a' * (8 << 30)", "memory"),
        ("rows = []\nwhile True: rows.append('a' * 1000000)", "memory"),
        ("number = 1 << (1 << 40)", "memory"),
        ("print('a' * (50 << 20))", "output"),
        ("while True: print('a' * 1000)", "output"),
        ("raise SystemExit('enough')", "exit"),
        ("def down(n): return down(n + 1)\ndown(0)", "error"),
        ("number = 10 ** 100000\nprint(number)", "error"),
        ("open('/outside', 'w')", "forbidden"),
        ("a\0b", "error"),
        ("def broken(:", "error"),
        ("text = '\ud800'", "error"),
        ("(" * 100000, "error"),
        ("raise ValueError('no')", "error"),
        ("import no_such_module", "error"),
    ],
)
def test_it_ends_within_its_bounds(sandbox: Sandbox, code: str, status: str) -> None:
    began = time.monotonic()
    it = ran(sandbox, code, bounds=Bounds(seconds=4, memory=256))
    assert it.status == status, it
    assert it.error
    assert len(it.stdout) <= 256 << 10
    assert time.monotonic() - began < 10


@pytest.mark.parametrize(
    "code",
    [
        "print(open('/etc/passwd').read())",
        f"print(open({str(Path(__file__))!r}).read())",
        "import os\nprint(os.environ['SECRET'])",
        "import os\nos.kill(os.getppid(), 9)",
        "import os\nos.fork()",
        "import socket\nsocket.create_connection(('127.0.0.1', 80))",
        "import ctypes\nassert ctypes.CDLL(None).fork() >= 0",
        "import pytest",
        "import subprocess\nsubprocess.run(['/bin/sh', '-c', 'id'], check=True)",
    ],
)
def test_it_reaches_nothing_of_this_machine(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, code: str) -> None:
    monkeypatch.setenv("SECRET", "hunter2")
    it = ran(sandbox, code)
    assert it.status in {"error", "forbidden"}, it
    assert it.stdout == ""


def test_a_result_may_not_be_too_long(sandbox: Sandbox) -> None:
    assert ran(sandbox, "text = 'a' * 1000000", "text").status == "output"


def test_a_program_gets_its_input_and_gives_its_output_and_result(sandbox: Sandbox) -> None:
    program = Program(code="name = input()\nprint('Hello', name)", stdin="Ada\nx\n", result="[name, 0.5, {'a': None}]")
    (it,) = sandbox.run([program])
    assert (it.status, it.stdout, it.result) == ("ok", "Hello Ada\n", "['Ada', 0.5, {'a': None}]")
    assert 0 < it.seconds < 5


def test_a_program_may_lie_about_its_value_only(sandbox: Sandbox) -> None:
    it = ran(sandbox, "repr = lambda value: 'forged'\nx = 3", "x")
    assert it.result in {"3", "forged"}


BUBBLEWRAP = {
    "a fork bomb": ("import os\nwhile True:\n  try: os.fork()\n  except OSError: pass", "timeout"),
    "threads": ("import threading\nthreading.Thread(target=print).start()", "error"),
    "full disk": ("f = open('a', 'wb')\nwhile True: f.write(b'a' * (1 << 20))", "error"),
    "many files": ("n = 0\nwhile True:\n  open(str(n), 'wb').write(b'a' * (1 << 20)); n += 1", "error"),
    "files without content": ("n = 0\nwhile True:\n  open(str(n), 'w').close(); n += 1", "timeout"),
    "system folder": ("open('/usr/lib/x', 'w')", "forbidden"),
    "link out": ("import os\nos.symlink('/usr', 'out')\nopen('out/x', 'w')", "forbidden"),
    "more memory": ("import resource\nresource.setrlimit(resource.RLIMIT_AS, (8 << 30,) * 2)", "error"),
    "new namespace": ("import ctypes\nassert ctypes.CDLL(None).unshare(0x10000000) == 0", "error"),
    "mount": ("import ctypes\nassert ctypes.CDLL(None).mount(b'a', b'/tmp', b'tmpfs', 0, None) == 0", "error"),
    "native crash": ("import ctypes\nctypes.string_at(0)", "error"),
    "endless C recursion": (
        "import sys\nsys.setrecursionlimit(10**9)\na = []\nfor _ in range(2 * 10**5): a = [a]\nrepr(a)",
        "error",
    ),
    "leaving early": ("import os\nos._exit(0)", "exit"),
    "leaving through the last handler": ("import atexit, os\natexit.register(os._exit, 9)", "ok"),
    "no channel": ("import os\nfor n in range(64):\n  try: os.close(n)\n  except OSError: pass", "exit"),
    "no channel and no end": ("import os\nos.closerange(0, 64)\nwhile True: pass", "timeout"),
    "noise in the channel": (
        "import os\nfor n in range(3, 64):\n  try: os.write(n, b'\\xff' * 99)\n  except OSError: pass",
        "exit",
    ),
    "another interpreter": (
        "import os\nos.execv('/usr/bin/python3', ['python3', '-c', 'import os; os.fork()'])",
        "exit",
    ),
    "a string that fails": ("class E(Exception):\n  def __str__(self): raise MemoryError\nraise E", "error"),
    "no builtins": ("import builtins\nfor name in dir(builtins): delattr(builtins, name)", "error"),
}


@bubblewrap_only
@pytest.mark.parametrize(("code", "status"), BUBBLEWRAP.values(), ids=BUBBLEWRAP)
def test_what_only_a_whole_python_can_try(code: str, status: str) -> None:
    assert ran(open_sandbox("bubblewrap"), code).status == status


@bubblewrap_only
def test_it_sees_the_standard_library_and_a_scratch_folder_only() -> None:
    code = "import os, sqlite3, ssl, decimal, lzma, tempfile, sys\nopen('a', 'w').write('1')\n"
    result = "[os.listdir('/'), os.listdir(), os.getcwd(), dict(os.environ), os.getuid(), sys.path, os.listdir('/dev')]"
    (it,) = open_sandbox("bubblewrap").run([Program(code=code, result=result)])
    assert it.ok, it
    root, here, folder, variables, user, path, devices = eval(it.result)
    assert set(root) <= {"tmp", "dev", "usr", "lib", "lib64"}
    assert (here, folder, variables, user, devices) == (["a"], "/tmp", {}, 65534, ["null"])
    assert all(place.startswith("/usr/") for place in path)
    packages = f"'/usr/{sys.platlibdir}/python{sys.version_info[0]}.{sys.version_info[1]}/site-packages'"
    (it,) = open_sandbox("bubblewrap").run(
        [Program(code="import os", result=f"os.path.isdir({packages}) and os.listdir({packages})")]
    )
    assert it.result in {"False", "[]"}


@bubblewrap_only
def test_one_program_leaves_nothing_for_the_next() -> None:
    look = Program(code="import os\nfound = os.listdir()\nopen('mine', 'w').write('1')", result="found")
    assert [it.result for it in open_sandbox("bubblewrap").run([look] * 4)] == ["[]"] * 4


@bubblewrap_only
def test_the_same_program_gives_the_same_set() -> None:
    one, other = open_sandbox("bubblewrap").run([Program(code="", result="{'a', 'b', 'c', 'd', 'e', 'f'}")] * 2)
    assert one.result == other.result


@bubblewrap_only
def test_what_a_forged_report_says_is_said_of_its_program_alone() -> None:
    forged = (
        "import os\nfor n in range(3, 64):\n  try: os.write(n, b'ok\\0\\0forged')\n  except OSError: pass\nos._exit(0)"
    )
    assert ran(open_sandbox("bubblewrap"), forged, "1 + 1").result == "forged"


@bubblewrap_only
def test_it_holds_for_another_user_than_root(tmp_path: Path) -> None:
    if os.getuid() != 0 or not shutil.which("setpriv"):
        pytest.skip("needs root, to become another user")
    # Where this Python stands in root's home the system's is taken, with our packages.
    become = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", "/usr/bin/python3", "-c"]
    env = {
        "PYTHONPATH": os.pathsep.join([str(Path(__file__).parents[3]), *(p for p in sys.path if "site-packages" in p)])
    }
    script = (
        "from tasks.sandbox import Program, open_sandbox\n"
        "codes = ['import os; os.fork()', 'import socket; socket.socket()', 'import os; os.kill(1, 9)', '1']\n"
        "print([ran.status for ran in open_sandbox('bubblewrap').run([Program(code=code) for code in codes])])"
    )
    if subprocess.run([*become, "import pydantic_settings"], env=env, capture_output=True, check=False).returncode:
        pytest.skip("another user cannot read our packages")
    done = subprocess.run([*become, script], env=env, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.stdout.strip() == "['forbidden', 'forbidden', 'forbidden', 'ok']", done.stderr


@bubblewrap_only
def test_programs_die_with_the_process_that_runs_them() -> None:
    script = "from tasks.sandbox import Bounds, Program, open_sandbox\n"
    script += "open_sandbox('bubblewrap').run([Program(code='import time; time.sleep(87)')], Bounds(seconds=90))"
    process = subprocess.Popen([sys.executable, "-c", script], cwd=Path(__file__).parents[3])
    while len(family := descendants(process.pid)) < 3:  # bubblewrap, the first process of its namespace, Python
        time.sleep(0.1)
    process.send_signal(signal.SIGKILL)
    process.wait()
    deadline = time.monotonic() + 10
    while any(Path(f"/proc/{one}").exists() for one in family) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not any(Path(f"/proc/{one}").exists() for one in family)


def descendants(process: int) -> list[int]:
    listed = subprocess.run(["ps", "-e", "-o", "pid=,ppid="], capture_output=True, text=True, check=True).stdout
    parents = dict(map(int, line.split()) for line in listed.splitlines())
    found = [process]
    for one in found:
        found += [child for child, parent in parents.items() if parent == one]
    return found[1:]
