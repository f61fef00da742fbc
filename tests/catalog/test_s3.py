"""Data on S3: moto's server, asked by DuckDB as any other."""

import tempfile
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import duckdb
import pytest
from moto_store import Bucket, bucket, bucket_of, s3_server, start_moto  # noqa: F401 - fixtures
from postgres import postgres_database, postgres_server  # noqa: F401 - fixtures

from catalog.publish import Findings, Run, publish
from catalog.records import Prompt
from catalog.spool import Spool
from catalog.store import Lake, TableRef
from infra.errors import EverspringError, Failure, Refusal
from infra.prefect_server import free_port
from infra.settings import load_settings
from tasks.provenance import sign_version, signing_key, trusted, verify_version

pytestmark = pytest.mark.xdist_group("s3")

INFRA = Path(__file__).parents[2] / "infra"
MANY = 50
"""Rows that DuckLake puts into a file: it keeps few in the catalogue."""


def put(lake: Lake, folder: Path, name: str, rows: int = MANY) -> int | None:
    run = Run(run_id=f"run-{name}", stage="sft", method="demo", table_name="sft.demo", fingerprint="f")
    with Spool(folder / run.run_id, Prompt) as spool:
        spool.add_rows([Prompt(prompt=f"{name} {number}") for number in range(rows)], {})
        return publish(lake, run, spool, Findings(), shape=Prompt).ref.version


def lake_in(store: Bucket, home: Path, **others: str) -> Lake:
    return Lake(load_settings(home=home, **store.settings | others))


def test_versions_are_published_to_a_bucket_and_read_from_it(bucket: Bucket, tmp_path: Path) -> None:  # noqa: F811
    lake = lake_in(bucket, tmp_path)
    assert [put(lake, tmp_path, "a"), put(lake, tmp_path, "b")] == [1, 2]
    first = lake.find(TableRef.parse("sft.demo@1"))
    assert {row.prompt.split()[0] for row in lake.rows(first, Prompt, lake.ids(first))} == {"a"}
    assert lake.query("SELECT count(*) FROM sft.demo").rows() == [(2 * MANY,)]
    assert any(key.startswith("lake/sft/demo/") for key in bucket.files())
    assert not list(tmp_path.glob("data/**/*.parquet"))


@pytest.fixture(scope="module")
def published(s3_server: str, tmp_path_factory: pytest.TempPathFactory) -> tuple[Lake, Bucket]:  # noqa: F811
    """A lake with a version, and something beside it in its bucket."""
    home, store = tmp_path_factory.mktemp("published"), bucket_of(s3_server)
    store.client().put_object(Bucket=store.name, Key="outside/secret.csv", Body=b"a,b\n1,2\n")
    lake = lake_in(store, home)
    put(lake, home, "a")
    return lake, store


@pytest.mark.parametrize(
    "question",
    [
        "FROM 's3://{bucket}/outside/secret.csv'",
        "FROM read_csv('s3://{bucket}/lake/../outside/secret.csv')",
        "FROM read_csv('s3://{bucket}/lake/sft/../../outside/secret.csv')",
        "FROM read_text('{file}?s3_endpoint=127.0.0.1:1')",
        "FROM read_text('s3://{bucket}/lake/x?s3_endpoint=127.0.0.1:1&s3_use_ssl=false')",
        "FROM glob('s3://{bucket}/**')",
        "FROM read_text('{endpoint}/{bucket}/outside/secret.csv')",
        "FROM read_text('s3n://{bucket}/outside/secret.csv')",
        "FROM query('FROM ''s3://{bucket}/outside/secret.csv''')",
        "FROM read_text('/etc/passwd')",
    ],
)
def test_a_question_reaches_nothing_but_the_lakes_own_files(published: tuple[Lake, Bucket], question: str) -> None:
    lake, store = published
    (file,) = (key for key in store.files() if key.startswith("lake/sft/demo/"))
    asked = question.format(bucket=store.name, endpoint=store.endpoint, file=f"s3://{store.name}/{file}")
    with pytest.raises(Refusal, match="was named, a table of the lake is wanted"):
        lake.query(asked)
    # What the reading of the question might let pass, the connection does not.
    with lake.read(once=True) as connection:
        lake._lock(connection)
        with pytest.raises(duckdb.PermissionException, match="disabled by configuration"):
            connection.execute(asked)


def test_the_secret_shows_neither_in_answers_nor_in_logs(bucket: Bucket, tmp_path: Path) -> None:  # noqa: F811
    lake = lake_in(bucket, tmp_path, s3_session_token="token-to-tell-nobody")
    put(lake, tmp_path, "a")
    with lake.read(once=True) as connection:
        lake._lock(connection)
        connection.execute("FROM enable_logging('HTTP')")
        assert len(connection.execute("FROM sft.demo").fetchall()) == MANY
        logs = str(connection.execute("FROM duckdb_logs").fetchall())
    shown = logs + "".join(str(lake.query(f"FROM {name}()").rows()) for name in ("duckdb_secrets", "duckdb_settings"))
    assert "lake_data" in shown
    for secret in (bucket.secret, "token-to-tell-nobody", "Signature="):
        assert secret not in shown
    with pytest.raises(Refusal, match="unredacted secrets is disabled"):
        lake.query("FROM duckdb_secrets(redact => false)")
    kept = b"".join(file.read_bytes() for file in tmp_path.rglob("*") if file.is_file())
    assert bucket.secret.encode() not in kept


def test_a_version_on_s3_is_signed_and_what_is_changed_in_the_bucket_is_found(bucket: Bucket, tmp_path: Path) -> None:  # noqa: F811
    lake = lake_in(bucket, tmp_path)
    put(lake, tmp_path, "a")
    settings = load_settings(home=tmp_path)
    version = lake.find(TableRef.parse("sft.demo@1"))
    sign_version(lake, version, signing_key(settings))
    assert verify_version(lake, version.ref, trusted(settings)) == []

    (key,) = (key for key in bucket.files() if key.startswith("lake/sft/demo/"))
    name, file = key.removeprefix("lake/"), tmp_path / "file.parquet"
    changed = "SELECT * REPLACE (CASE prompt WHEN 'a 7' THEN 'a !' ELSE prompt END AS prompt) FROM read_parquet(?)"
    bucket.client().download_file(bucket.name, key, str(tmp_path / "as_it_was.parquet"))
    duckdb.execute(f"COPY ({changed}) TO '{file}'", [str(tmp_path / "as_it_was.parquet")])
    bucket.client().upload_file(str(file), bucket.name, key)
    told = [str(problem) for problem in verify_version(lake, version.ref, trusted(settings))]
    assert any(line.startswith(f"file {name}: ") for line in told), told

    bucket.client().delete_object(Bucket=bucket.name, Key=key)
    told = [str(problem) for problem in verify_version(lake, version.ref, trusted(settings))]
    assert f"file {name}: is missing or cannot be read" in told


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"data": "s3://no-such-bucket/lake"}, "there is no such bucket); make it"),
        ({"s3_endpoint": "http://127.0.0.1:1"}, "at http://127.0.0.1:1 cannot be used (nobody answers there)"),
        ({"s3_endpoint": "http://nowhere.invalid"}, "there is no such host"),
        ({"s3_secret": ""}, "only one half was given"),
        ({"s3_endpoint": "127.0.0.1:9000"}, "http://HOST:PORT or https://HOST is wanted"),
        ({"s3_endpoint": "http://me:tell-nobody@127.0.0.1:9000"}, "without a key or a path"),
        ({"s3_endpoint": "http://127.0.0.1:notaport"}, "http://HOST:PORT"),
        ({"data": "s3://"}, "s3://BUCKET/PREFIX/ is wanted"),
        ({"data": "s3://bucket/../other"}, "s3://BUCKET/PREFIX/ is wanted"),
        ({"data": "s3://bucket/a*"}, "s3://BUCKET/PREFIX/ is wanted"),
        ({"data": "gs://bucket/a"}, "gs:// was given, a folder or s3://BUCKET/PREFIX/ is wanted"),
    ],
)
def test_a_store_that_cannot_be_used_is_one_clear_error(
    bucket: Bucket,  # noqa: F811
    tmp_path: Path,
    given: dict[str, str],
    told: str,
) -> None:
    for use in (Lake.reach, lambda lake: put(lake, tmp_path, "a")):
        with pytest.raises(EverspringError) as failed:
            use(lake_in(bucket, tmp_path / "home", **given))
        assert told in str(failed.value)
        assert str(failed.value).startswith(("data: ", "s3_endpoint: "))
        assert not any(secret in str(failed.value) for secret in (bucket.secret, "tell-nobody"))


@pytest.fixture(scope="module")
def strict() -> Iterator[dict[str, Bucket]]:
    """A bucket of a server that knows its keys and what they may do: as its owner, a writer and an analyst see it."""
    port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        server = start_moto(Path(folder), port)
        try:
            owner = Bucket(f"http://127.0.0.1:{port}", "strict")
            owner.client().create_bucket(Bucket=owner.name)
            seen = {"owner": owner}
            for role in ("writer", "analyst"):
                policy = (INFRA / f"s3-{role}.json").read_text().replace("BUCKET", "strict").replace("PREFIX", "lake")
                iam = owner.client("iam")
                iam.create_user(UserName=role)
                iam.put_user_policy(UserName=role, PolicyName=role, PolicyDocument=policy)
                key = iam.create_access_key(UserName=role)["AccessKey"]
                seen[role] = replace(owner, key_id=key["AccessKeyId"], secret=key["SecretAccessKey"])
            ask = urllib.request.Request(
                f"{owner.endpoint}/moto-api/reset-auth", data=b"0", headers={"Content-Type": "text/plain"}
            )
            urllib.request.urlopen(ask).close()
            yield seen
        finally:
            server.kill()
            server.wait()


def test_a_writer_publishes_and_an_analyst_only_reads(strict: dict[str, Bucket], tmp_path: Path) -> None:
    assert put(lake_in(strict["writer"], tmp_path), tmp_path, "a") == 1
    analyst = lake_in(strict["analyst"], tmp_path)
    assert analyst.reach() == "s3://strict/lake/"
    assert analyst.query("SELECT count(*) FROM sft.demo").rows() == [(MANY,)]
    with pytest.raises(Failure, match=r"data: s3://strict/lake/ at .* \(the key may not do that\)"):
        put(analyst, tmp_path, "b")
    assert analyst.query("SELECT max(version) FROM catalog.versions WHERE table_name = 'sft.demo'").rows() == [(1,)]


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"s3_key_id": "AKIANOBODYKNOWS"}, "the key id is not known there"),
        ({"s3_secret": "not-the-word"}, "the secret is not that of the key id"),
    ],
)
def test_a_wrong_key_is_one_clear_error(
    strict: dict[str, Bucket], tmp_path: Path, given: dict[str, str], told: str
) -> None:
    for use in (Lake.reach, lambda lake: put(lake, tmp_path, "a")):
        with pytest.raises(Failure) as failed:
            use(lake_in(strict["writer"], tmp_path / "home", **given))
        assert told in str(failed.value)
        assert not any(secret in str(failed.value) for secret in (strict["writer"].secret, "not-the-word"))


@pytest.mark.postgres
def test_questions_are_answered_while_others_publish(
    bucket: Bucket,  # noqa: F811
    postgres_database: str,  # noqa: F811
    tmp_path: Path,
) -> None:
    def lake() -> Lake:
        return lake_in(bucket, tmp_path, lake=postgres_database)

    put(lake(), tmp_path, "first")
    with ThreadPoolExecutor(1) as threads:
        writing = threads.submit(lambda: [put(lake(), tmp_path, f"{turn}") for turn in range(6)])
        counts: list[int] = []
        while not writing.done():
            counts.append(lake().query("SELECT count(*) FROM sft.demo").item())
        assert writing.result() == list(range(2, 8))
    assert counts == sorted(counts)
    assert len(set(counts)) > 1
    assert all(count % MANY == 0 for count in counts)
