"""Settings: one frozen object from the environment and an optional `everspring.toml`.

Variables are `EVERSPRING_*`, those of the openai package (`OPENAI_BASE_URL`, `OPENAI_API_KEY`), of Prefect, MLflow and
OpenLineage, and AWS's own for an S3 store that nothing of ours names.

The environment wins over the file. Secrets are `SecretStr`: they are never printed, logged or stored.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import AliasChoices, BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, TomlConfigSettingsSource

from infra.errors import Refusal
from infra.faults import full_disk
from infra.prices import Price
from infra.secrets import remember_all, remember_environment

Role = Literal["generator", "judge", "student", "embedder", "vision", "image"]
ROLES: tuple[Role, ...] = ("generator", "judge", "student", "embedder", "vision", "image")

Policy = Literal["drop", "mask", "flag", "off"]
"""What becomes of a row in which a screen finds fault: left out, kept with what was found masked, kept and noted; or
it is not looked for at all."""

SandboxChoice = Literal["auto", "bubblewrap", "monty"]
"""By what means programs that models wrote are run; `auto` takes the first that works here."""

SIZE = r"^[1-9][0-9]*(\.[0-9]+)?\s?[kKMGT]i?B$"
"""How a size is written: 500MB, 4GB, 1.5GiB."""

EMBEDDED = "embedded"
"""Where a role's `url` would stand: the embedded model."""


class Endpoint(BaseModel):
    """A model and where it is served. Without a `url` it is at `OPENAI_BASE_URL`, or embedded where that is not set."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: str = ""
    url: str = ""
    api_key: SecretStr | None = None
    requests_per_minute: float | None = Field(default=None, gt=0)
    tokens_per_minute: float | None = Field(default=None, gt=0)

    @classmethod
    def parse(cls, text: str) -> "Endpoint":
        """Read `MODEL@URL`, `MODEL` or `@URL`.

        Raises:
            Refusal: where the address is no http address.
        """
        model, _, url = text.partition("@")
        if url and not url.startswith(("http://", "https://")) and url != EMBEDDED:
            raise Refusal(f"role: {text!r} was given, MODEL@URL is wanted; start the URL with http:// or https://")
        return cls(model=model, url=url)


class Settings(BaseSettings):
    """Everything that can be set, with defaults that work on one machine with nothing configured."""

    model_config = SettingsConfigDict(
        env_prefix="EVERSPRING_",
        env_nested_delimiter="__",
        toml_file="everspring.toml",
        frozen=True,
        extra="forbid",
        populate_by_name=True,
    )

    home: Path = Field(Path(".everspring"), description="Folder of everything Everspring keeps.")
    lake: str = Field("", description="Catalogue of the lake: empty for SQLite in the home folder, or postgresql://…")
    data: str = Field(
        "", description="Folder of the lake's Parquet files, or s3://BUCKET/PREFIX/; empty for one in the home folder."
    )
    s3_endpoint: str = Field("", description="Address of the S3 store, http(s)://HOST:PORT; empty for Amazon's.")
    s3_region: str = Field("", description="Region of the bucket; empty for us-east-1.")
    s3_style: Literal["auto", "path", "virtual"] = Field(
        "auto", description="Whether buckets are named in paths or in host names; `auto`: the latter at Amazon's only."
    )
    s3_key_id: str = Field("", description="Id of the key to the bucket; empty to ask without one.")
    s3_secret: SecretStr | None = Field(None, description="Secret of that key.")
    s3_session_token: SecretStr | None = Field(None, description="Token of a key that is lent for a while.")
    mlflow: str = Field(
        "",
        description="MLflow tracking store; empty for SQLite in the home folder.",
        validation_alias=AliasChoices("mlflow", "EVERSPRING_MLFLOW", "MLFLOW_TRACKING_URI"),
    )
    prefect: str = Field(
        "",
        description="Address of a Prefect API; empty for a server of the run's own.",
        validation_alias=AliasChoices("prefect", "EVERSPRING_PREFECT", "PREFECT_API_URL"),
    )
    openlineage_url: str = Field(
        "",
        description="Server that each run is told to as OpenLineage events; empty for a file in the home folder.",
        validation_alias=AliasChoices("openlineage_url", "EVERSPRING_OPENLINEAGE_URL", "OPENLINEAGE_URL"),
    )
    openlineage_endpoint: str = Field(
        "api/v1/lineage",
        description="Path of that server that takes them.",
        validation_alias=AliasChoices(
            "openlineage_endpoint", "EVERSPRING_OPENLINEAGE_ENDPOINT", "OPENLINEAGE_ENDPOINT"
        ),
    )
    openlineage_api_key: SecretStr | None = Field(
        None,
        description="Key for it.",
        validation_alias=AliasChoices("openlineage_api_key", "EVERSPRING_OPENLINEAGE_API_KEY", "OPENLINEAGE_API_KEY"),
    )
    openlineage_disabled: bool = Field(
        False,
        description="Tell no run as OpenLineage events.",
        validation_alias=AliasChoices(
            "openlineage_disabled", "EVERSPRING_OPENLINEAGE_DISABLED", "OPENLINEAGE_DISABLED"
        ),
    )
    webhook: SecretStr | None = Field(None, description="Address that is told, by POST, what automations notice.")
    yield_drop: float = Field(
        0.5, ge=0, le=1, description="Share of a table's usual yield under which a run's is told as dropped."
    )
    base_url: str = Field(
        "",
        description="Any OpenAI-compatible endpoint; empty for the embedded model.",
        validation_alias=AliasChoices("base_url", "EVERSPRING_BASE_URL", "OPENAI_BASE_URL"),
    )
    api_key: SecretStr | None = Field(
        None,
        description="Key for that endpoint.",
        validation_alias=AliasChoices("api_key", "EVERSPRING_API_KEY", "OPENAI_API_KEY"),
    )
    model: str = Field("", description="Model to ask for there; empty for the one it serves.")
    roles: Mapping[Role, tuple[Endpoint, ...]] = Field(
        default_factory=dict, description="Role → its models, where one differs from the default."
    )
    concurrency: int = Field(
        16, ge=1, le=4096, description="Most requests in flight at once to one model at one endpoint."
    )
    requests_per_minute: float | None = Field(None, gt=0, description="Requests a minute to one model.")
    tokens_per_minute: float | None = Field(None, gt=0, description="Tokens a minute, read and written, to one model.")
    hedge: bool = Field(True, description="Send a request again that takes far longer than others do.")
    timeout: float = Field(120.0, gt=0, description="Seconds that one request to an endpoint may take.")
    retries: int = Field(6, ge=0, le=100, description="How often a failed request is sent again.")
    attempts: int = Field(3, ge=1, le=20, description="How often a malformed answer is asked for, in all.")
    batch: bool = Field(False, description="Ask through the Batch API: half the price, an answer within a day.")
    batch_wait: bool = Field(True, description="Wait for a batch; else leave, with exit code 75, until the next run.")
    prices: Mapping[str, Price] = Field(
        default_factory=dict, description="Model → its price, where it is another than the one known, or none is."
    )
    prices_file: str = Field("", description="Table of prices that wins over infra/prices.toml, in the same form.")
    calls: Literal["texts", "hashes"] = Field(
        "texts",
        description="What is kept of requests and answers: with `hashes` no text is, and no answer can be used again.",
    )
    screens: Mapping[str, Policy] = Field(
        default_factory=dict, description="Screen → what becomes of a row at fault, where it is not the default."
    )
    screen_options: Mapping[str, Mapping[str, Any]] = Field(
        default_factory=dict, description='Screen → its options, such as {"language": {"expected": ["en", "de"]}}.'
    )
    benchmark_secret: SecretStr | None = Field(None, description="With which private benchmarks are hashed.")
    measures_off: frozenset[str] = Field(frozenset(), description="Measures that are not taken.")
    reference: str = Field("", description="Table of human text, such as raw.prompts, that measures compare with.")
    watermark: SecretStr | None = Field(None, description="Secret by which text of the embedded model can be told.")
    sign: bool = Field(True, description="Sign the manifest of every version that is published.")
    signing_key: str = Field("", description="File of the private key; empty for one in the home folder.")
    trusted_keys: str = Field("", description="Public keys that may sign, beside that of the signing key.")
    embedded_slots: int = Field(8, ge=1, le=64, description="Requests that the embedded model works on at once.")
    embedded_context: int = Field(2048, ge=256, le=8192, description="Tokens of context of each of them.")
    sandbox: SandboxChoice = Field("auto", description="What runs programs that models wrote.")
    runner: str = Field(
        "", description="Where partitions are made: threads, dask or ray, or dask@ADDRESS, ray@ADDRESS."
    )
    workers: int | None = Field(None, ge=1, description="Workers of a runner on this machine; one a core by default.")
    sql_seconds: float = Field(600.0, gt=0, description="Seconds that a question in SQL may take.")
    sql_memory: str = Field("2GB", pattern=SIZE, description="Memory that it may use.")
    sql_disk: str = Field("20GB", pattern=SIZE, description="Disk that it may use beyond that, in the home folder.")
    partition: int = Field(1000, ge=1, description="Rows in one partition of a method that maps row by row.")

    @field_validator("roles", mode="before")
    @classmethod
    def _pools(cls, value: Any) -> Any:
        if isinstance(value, Mapping):
            return {role: _endpoints(endpoints) for role, endpoints in value.items()}
        return value

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The order of sources: arguments, environment, `everspring.toml`, AWS's own variables."""
        del dotenv_settings, file_secret_settings
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls), _AwsVariables(settings_cls)

    def endpoints(self, role: Role) -> tuple[Endpoint, ...]:
        """The models of a role, each with its address filled in (`embedded` for the embedded model)."""
        pool = self.roles.get(role) or (Endpoint(model=self.model),)
        return tuple(
            e.model_copy(update={"url": e.url or self.base_url or EMBEDDED, "api_key": e.api_key or self._key(e)})
            for e in pool
        )

    def _key(self, endpoint: Endpoint) -> SecretStr | None:
        """The shared key goes to the shared endpoint only: a role's own address never receives it."""
        return self.api_key if not endpoint.url or endpoint.url == self.base_url else None

    @property
    def tracking_uri(self) -> str:
        """Where MLflow keeps its runs."""
        return self.mlflow or f"sqlite:///{self.folder() / 'mlflow.db'}"

    @property
    def places(self) -> list[Path]:
        """Folders whose disks runs write to: the first of them, or its nearest parent that is there, is home."""
        home = self.home.absolute()
        local = [Path(self.data).absolute()] if self.data and "://" not in self.data else []
        return [next(place for place in (home, *home.parents) if place.exists()), *local]

    def folder(self, *parts: str) -> Path:
        """A folder under the home folder, made if need be, for its owner alone.

        Raises:
            Refusal: where the home folder cannot be written to.
            Failure: where its disk is full.
        """
        path = self.home.absolute().joinpath(*parts)
        try:
            if not path.exists():
                for each in (*reversed(path.parents[: len(parts)]), path):
                    each.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            if failure := full_disk(error, self.places):
                raise failure from None
            raise Refusal(
                f"home: {self.home.absolute()} cannot be written to ({error.strerror}), a writable folder is wanted; "
                "set EVERSPRING_HOME"
            ) from None
        if not os.access(path, os.W_OK):
            raise Refusal(f"home: {path} cannot be written to, a writable folder is wanted; set EVERSPRING_HOME")
        return path


class _AwsVariables(PydanticBaseSettingsSource):
    """What AWS's own variables say of an S3 store. Key, secret and token come from one place: they go together."""

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        """Nothing: the fields are read together."""
        del field
        return None, field_name, False

    def __call__(self) -> dict[str, Any]:
        """The fields that the variables give."""
        read = {
            "s3_endpoint": ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"),
            "s3_region": ("AWS_REGION", "AWS_DEFAULT_REGION"),
        }
        if not self.current_state.get("s3_key_id"):
            read |= {
                "s3_key_id": ("AWS_ACCESS_KEY_ID",),
                "s3_secret": ("AWS_SECRET_ACCESS_KEY",),
                "s3_session_token": ("AWS_SESSION_TOKEN",),
            }
        found = {field: [os.environ[name] for name in names if os.environ.get(name)] for field, names in read.items()}
        return {field: values[0] for field, values in found.items() if values}


def _endpoints(value: Any) -> Any:
    """A role's models as text, a table, or a list of either."""
    if isinstance(value, str):
        return tuple(Endpoint.parse(part.strip()) for part in value.split(","))
    if isinstance(value, Mapping):
        return (value,)
    return tuple(Endpoint.parse(part) if isinstance(part, str) else part for part in value)


def load_settings(**given: Any) -> Settings:
    """The settings of this process; `given` wins over environment and file.

    Raises:
        Refusal: for a value that does not fit, naming the setting.
    """
    remember_environment()
    try:
        settings = Settings(**given)
        remember_all(settings)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        name = ".".join(str(part) for part in first["loc"]) or "settings"
        raise Refusal(
            f"{name}: cannot be used ({first['msg']}); see EVERSPRING_{name.upper()} or everspring.toml"
        ) from None
    except ValueError as error:  # a broken everspring.toml
        raise Refusal(f"everspring.toml: cannot be read ({error}), TOML is wanted; mend or remove it") from None
    return settings
