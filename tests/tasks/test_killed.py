"""A run that is killed after its version is published and before that is signed: the next run signs it."""

from collections.abc import Callable
from typing import Any

import pytest
from bench import Bench

from tasks import materialize
from tasks.provenance import trusted, verify_version


def kill_before_signing(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    def die(*_: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(materialize, "sign_due", die)
        with pytest.raises(KeyboardInterrupt):
            bench.run()
    assert problems(bench) == ["sft.toy@1: there is none: the version was not signed"]


def problems(bench: Bench) -> list[str]:
    keys = trusted(bench.settings)
    return [
        f"{version.ref}: {problem.what}"
        for version in bench.lake.versions("sft.toy")
        for problem in verify_version(bench.lake, version.ref, keys)
    ]


def test_the_same_run_again_signs_the_version_and_makes_no_other(
    bench_with: Callable[..., Bench], monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = bench_with()
    kill_before_signing(bench, monkeypatch)
    assert (bench.run().status, problems(bench)) == ("unchanged", [])


def test_another_run_signs_the_version_that_was_left_as_well_as_its_own(
    bench_with: Callable[..., Bench], monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = bench_with()
    kill_before_signing(bench, monkeypatch)
    assert (bench.run(settings={"prefix": "again: "}).version, problems(bench)) == (2, [])


def test_a_version_that_was_not_to_be_signed_stays_unsigned(bench_with: Callable[..., Bench]) -> None:
    bench = bench_with(sign=False)
    bench.run()
    bench.settings = bench.settings.model_copy(update={"sign": True})
    assert bench.run().status == "unchanged"
    assert problems(bench) == ["sft.toy@1: there is none: the version was not signed"]
