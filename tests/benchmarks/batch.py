"""What a kill costs in batch mode: requests submitted twice, beside a script that begins again.

1,000 requests go to the scripted server as a batch; the process that submitted them is killed before the batch is done,
and run again.
"""

import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from benchmarks.table import Line, show  # noqa: E402 - found by the line above
from scripted import ScriptedServer  # noqa: E402

REQUESTS = 1_000

OURS = """
import sys
from infra.settings import load_settings
from scripted import question
from tasks.llm import open_models

url, home, requests = sys.argv[1:]
settings = load_settings(home=home, base_url=url, model="scripted", batch=True)
with open_models(settings) as models:
    answers = models.get("generator").ask([question(str(number)) for number in range(int(requests))], int)
assert [answer.value for answer in answers] == list(range(int(requests)))
"""

INSTEAD = """
import io, json, sys, time
import openai

url, _, requests = sys.argv[1:]
client = openai.OpenAI(base_url=url, api_key="none")
lines = [
    {"custom_id": str(number), "method": "POST", "url": "/v1/chat/completions",
     "body": {"model": "scripted", "messages": [{"role": "user", "content": str(number)}]}}
    for number in range(int(requests))
]
content = "".join(json.dumps(line) + "\\n" for line in lines).encode()
file = client.files.create(file=("batch.jsonl", content), purpose="batch")
batch = client.batches.create(input_file_id=file.id, endpoint="/v1/chat/completions", completion_window="24h")
while (batch := client.batches.retrieve(batch.id)).status != "completed":
    time.sleep(1)
answers = [json.loads(line) for line in client.files.content(batch.output_file_id).text.splitlines()]
assert len(answers) == int(requests)
"""


def submitted_twice(script: str) -> int:
    """Requests that the server was given more than once, over a run that is killed and one that is not."""
    with tempfile.TemporaryDirectory() as home, ScriptedServer(lambda prompt, body: prompt, batch_delay=None) as server:
        command = [sys.executable, "-c", script, server.url, home, str(REQUESTS)]
        environment = {"PYTHONPATH": f"{ROOT}:{ROOT / 'tests'}", "PATH": "/usr/bin:/bin"}
        with subprocess.Popen(command, env=environment) as killed:
            while not any(batch["status"] == "in_progress" for batch in server.desk.batches.values()):
                assert killed.poll() is None
                time.sleep(0.01)
            killed.send_signal(signal.SIGKILL)
        server.desk.delay = 0
        subprocess.run(command, env=environment, check=True)
        return sum(batch["request_counts"]["total"] for batch in server.desk.batches.values()) - REQUESTS


def lines() -> list[Line]:
    """The figures."""
    what = f"requests submitted twice, of {REQUESTS:,}, after a kill"
    against = "openai's client in a script, run again"
    return [Line(what, submitted_twice(OURS), submitted_twice(INSTEAD), "requests", against)]


if __name__ == "__main__":
    show(lines())
