"""Data on S3: which store the settings mean, how DuckDB gets in, and what it means when it does not."""

import re
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from infra.errors import Failure, Refusal
from infra.settings import Settings

if TYPE_CHECKING:
    import duckdb

_ADDRESS = re.compile(r"s3://(?P<bucket>[a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?P<prefix>(?:/[A-Za-z0-9_=.-]+)*)/?")
_AMAZON = "Amazon S3"
_KEY = "EVERSPRING_S3_KEY_ID and EVERSPRING_S3_SECRET, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"

_FORBIDDEN = r"HTTP (code )?403"

# The first that is found in DuckDB's words, which hold what the store said: why, and what to do.
_CAUSES = (
    ("NoSuchBucket", "there is no such bucket", "make it, or mend EVERSPRING_DATA"),
    ("InvalidAccessKeyId", "the key id is not known there", f"mend {_KEY}"),
    ("SignatureDoesNotMatch", "the secret is not that of the key id", f"mend {_KEY}"),
    ("ExpiredToken", "the key was lent, and its time is over", f"renew {_KEY}, with its session token"),
    ("RequestTimeTooSkewed", "the clocks differ", "set this machine's clock"),
    (
        r"AuthorizationHeaderMalformed|PermanentRedirect|HTTP (code )?301",
        "the bucket is in another region",
        "mend EVERSPRING_S3_REGION",
    ),
    (_FORBIDDEN, "the key may not do that", f"let it, as infra/s3-writer.json does, or mend {_KEY}"),
    (r"HTTP (code )?5\d\d", "the store is out of order", "see its log, then try again"),
    ("resolve hostname", "there is no such host", "mend EVERSPRING_S3_ENDPOINT"),
    ("SSL", "TLS fails", "mend EVERSPRING_S3_ENDPOINT: http:// is without TLS, https:// with a certificate"),
    ("error for HTTP", "nobody answers there", "start the store, or mend EVERSPRING_S3_ENDPOINT"),
)


def on_s3(settings: Settings) -> bool:
    """Whether the lake's data lie on S3, rather than in a folder.

    Raises:
        Refusal: where the settings name another kind of store.
    """
    scheme, there, _ = settings.data.partition("://")
    if there and scheme != "s3":
        raise Refusal(
            f"data: {scheme}:// was given, a folder or s3://BUCKET/PREFIX/ is wanted; "
            "many stores speak S3: name theirs in EVERSPRING_S3_ENDPOINT"
        )
    return bool(there)


def s3_address(settings: Settings) -> str:
    """Where the data lie: `s3://BUCKET/PREFIX/`.

    Raises:
        Refusal: where the settings name no bucket, or a prefix with letters that need care.
    """
    found = _ADDRESS.fullmatch(settings.data)
    if not found or {".", ".."} & set(found["prefix"].split("/")):
        raise Refusal(
            f"data: {settings.data!r} was given, s3://BUCKET/PREFIX/ is wanted, of letters, digits and -_.=; "
            "mend EVERSPRING_DATA"
        )
    return f"s3://{found['bucket']}{found['prefix']}/"


def open_s3(connection: "duckdb.DuckDBPyConnection", settings: Settings) -> None:
    """Let a DuckDB with the extension httpfs read and write the data, and nothing else in the store.

    Raises:
        Refusal: where the settings do not fit together.
    """
    if bool(settings.s3_key_id) != bool(settings.s3_secret):
        raise Refusal(f"data: of a key to S3 only one half was given, id and secret are wanted; set {_KEY}")
    host, tls = _endpoint(settings)
    style = settings.s3_style if settings.s3_style != "auto" else "path" if host else "virtual"
    given: dict[str, str | bool] = {
        "SCOPE": s3_address(settings),
        "REGION": settings.s3_region or "us-east-1",
        "URL_STYLE": {"path": "path", "virtual": "vhost"}[style],
        "USE_SSL": tls,
    }
    if host:
        given["ENDPOINT"] = host
    if settings.s3_secret:
        given |= {"KEY_ID": settings.s3_key_id, "SECRET": settings.s3_secret.get_secret_value()}
    if settings.s3_session_token:
        given["SESSION_TOKEN"] = settings.s3_session_token.get_secret_value()
    # Unlike settings, a secret is redacted wherever DuckDB shows it; requests are not, and hold signature and token.
    connection.execute("SET enable_http_logging = false")
    connection.execute(
        f"CREATE OR REPLACE SECRET lake_data (TYPE s3, PROVIDER config, {', '.join(f'{name} ?' for name in given)})",
        list(given.values()),
    )


def s3_failure(error: BaseException, settings: Settings) -> Failure | None:
    """What an error of DuckDB says about the store, in words of ours; None where it says nothing of the kind."""
    import duckdb

    said = str(error)
    of_s3 = isinstance(error, duckdb.HTTPException) or (isinstance(error, duckdb.IOException) and "for HTTP" in said)
    if not of_s3:
        return None
    where = f"data: {s3_address(settings)} at {settings.s3_endpoint or _AMAZON} cannot be used"
    if not settings.s3_key_id and re.search(_FORBIDDEN, said):
        return Failure(f"{where} (it wants a key); set {_KEY}")
    found = next(((why, remedy) for sign, why, remedy in _CAUSES if re.search(sign, said)), None)
    return Failure(f"{where} ({found[0]}); {found[1]}") if found else None


def _endpoint(settings: Settings) -> tuple[str, bool]:
    """Host and port of the store, nothing for Amazon's, and whether it speaks TLS."""
    if not settings.s3_endpoint:
        return "", True
    try:
        parts = urlsplit(settings.s3_endpoint)
        bare = (
            parts.hostname
            and parts.port != 0
            and "@" not in parts.netloc
            and parts[2:] in {("", "", ""), ("/", "", "")}
        )
    except ValueError:
        bare, parts = False, urlsplit("")
    if not bare or parts.scheme not in {"http", "https"}:
        raise Refusal(
            "s3_endpoint: what was given is no address, http://HOST:PORT or https://HOST is wanted, without a key or a "
            "path; mend EVERSPRING_S3_ENDPOINT (or AWS_ENDPOINT_URL)"
        )
    return parts.netloc, parts.scheme == "https"
