"""What containers are made of: pinned, without secrets, with settings and commands that there are."""

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer.main
import yaml

from flows.cli import app
from infra.settings import Settings

ROOT = Path(__file__).parents[2]
INFRA = ROOT / "infra"
DOCKERFILE = (INFRA / "Dockerfile").read_text()
COMPOSE: dict[str, Any] = yaml.safe_load((INFRA / "compose.yaml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
KUBERNETES: list[dict[str, Any]] = list(yaml.safe_load_all((INFRA / "kubernetes" / "worker.yaml").read_text()))
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
FILES = [INFRA / "compose.yaml", INFRA / "kubernetes" / "worker.yaml", INFRA / "Dockerfile"]

SECRET = re.compile(r"PASSWORD|SECRET|TOKEN|KEY")
GIVEN = re.compile(r"\$\{[A-Z0-9_]+(:\?[^}]*|:-)?\}")
"""A variable of whoever starts it, that may be empty and has no default."""


def the(kind: str) -> dict[str, Any]:
    (found,) = (each for each in KUBERNETES if each["kind"] == kind)
    return found


POD: dict[str, Any] = the("Deployment")["spec"]["template"]["spec"]
WORKER: dict[str, Any] = POD["containers"][0]


def images() -> Iterator[str]:
    yield from (service["image"] for service in SERVICES.values())
    yield from (container["image"] for container in POD["containers"])
    arguments = dict(re.findall(r"^ARG (\w+)=(\S+)$", DOCKERFILE, re.MULTILINE))
    for image in re.findall(r"^FROM (\S+)", DOCKERFILE, re.MULTILINE):
        yield re.sub(r"\$\{(\w+)\}", lambda found: arguments[found[1]], image)


@pytest.mark.parametrize("image", sorted(set(images())))
def test_every_image_is_pinned_by_version(image: str) -> None:
    name, _, tag = image.rpartition(":")
    assert re.match(r"v?\d+\.\d+", tag), image
    if name == "everspring":
        assert tag == PROJECT["version"]


@pytest.mark.parametrize("service", SERVICES)
def test_no_secret_stands_in_a_service(service: str) -> None:
    for name, value in SERVICES[service].get("environment", {}).items():
        if SECRET.search(name):
            assert GIVEN.fullmatch(value), name
        for password in re.findall(r"//[^:/@]+:([^@]+)@", value):
            assert GIVEN.fullmatch(password), name


def test_no_secret_stands_in_the_manifests_or_the_image() -> None:
    assert not [each for each in KUBERNETES if each["kind"] == "Secret"]
    assert not [name for name in the("ConfigMap")["data"] if SECRET.search(name)]
    for variable in WORKER["env"]:
        assert variable.keys() == {"name", "valueFrom"}
        assert variable["valueFrom"]["secretKeyRef"]["key"] == variable["name"]
    assert not SECRET.search(DOCKERFILE)
    for content in COMPOSE["configs"].values():
        for line in content["content"].splitlines():
            assert "password" not in line.lower() or re.search(r"\$\$\{\w+\}$", line), line


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_every_variable_of_ours_is_a_setting(file: Path) -> None:
    known = {f"EVERSPRING_{name.upper()}" for name in Settings.model_fields}
    used = set(re.findall(r"\bEVERSPRING_[A-Z0-9_]+", file.read_text()))
    assert used
    assert used <= known


def test_every_command_of_ours_is_one_of_the_command_line() -> None:
    known = set(typer.main.get_command(app).commands)  # type: ignore[attr-defined]
    used = {service["command"][1] for service in SERVICES.values() if service.get("command", [""])[0] == "everspring"}
    used |= {WORKER["command"][1], *re.findall(r'CMD \["everspring", "(\w+)"\]', DOCKERFILE)}
    assert "worker" in used
    assert used <= known


def test_services_are_published_on_loopback_only_and_say_whether_they_are_well() -> None:
    for name, service in SERVICES.items():
        assert all(port.startswith("127.0.0.1:") for port in service.get("ports", [])), name
        for other in service.get("depends_on", []):
            assert other in SERVICES, name
        if name not in {"worker", "marquez", "marquez-web"}:  # the worker's check comes with the image
            assert service["healthcheck"]["test"][0] == "CMD", name
    assert "HEALTHCHECK" in DOCKERFILE


def test_the_image_is_built_from_what_is_here() -> None:
    targets = set(re.findall(r"^([\w./]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert (
        set(re.findall(r"\bmake (?:\w+=\w+ )*(\S+)", DOCKERFILE.partition("FROM")[2].replace("make bubblewrap", "")))
        <= targets
    )
    assert set(re.findall(r"'\.\[(\w+)\]'", DOCKERFILE)) == {"postgres"}
    assert "postgres" in PROJECT["optional-dependencies"]
    assert DOCKERFILE.count("--constraint constraints.txt") == DOCKERFILE.count("uv pip install") - 1  # and --no-deps
    copied = [
        source for line in re.findall(r"^COPY ([^-].*) \S+$", DOCKERFILE, re.MULTILINE) for source in line.split()
    ]
    assert copied
    for source in copied:
        assert (ROOT / source).exists(), source
    ignored = (INFRA / "Dockerfile.dockerignore").read_text().splitlines()
    assert ignored[1] == "*"
    assert {source.split("/")[0] for source in copied} == {line[1:] for line in ignored if line.startswith("!")}


def test_nothing_runs_as_root_or_writes_where_it_need_not() -> None:
    (user,) = re.findall(r"^USER (\d+):\d+$", DOCKERFILE, re.MULTILINE)
    (home,) = re.findall(r"EVERSPRING_HOME=(\S+)", DOCKERFILE)
    assert POD["securityContext"]["runAsNonRoot"] is True
    assert POD["securityContext"]["runAsUser"] == int(user) > 0
    assert POD["automountServiceAccountToken"] is False
    for container in POD["containers"]:
        assert container["securityContext"]["readOnlyRootFilesystem"] is True
        assert container["securityContext"]["allowPrivilegeEscalation"] is False
        assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
        assert container["resources"].keys() == {"requests", "limits"}
    mounts = {mount["name"]: mount["mountPath"] for mount in WORKER["volumeMounts"]}
    assert {volume["name"] for volume in POD["volumes"] if "emptyDir" in volume} == set(mounts)
    assert mounts["home"] == str(Path(home).parent)
    for name, service in SERVICES.items():
        if service["image"].startswith("everspring:"):
            assert service["read_only"] is True, name
            assert any(mount.endswith(mounts["home"]) for mount in service["volumes"]), name
