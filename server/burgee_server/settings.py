"""What an operator can set: by BURGEE_* in the environment or in a TOML file; data and listen by flag, too."""

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, SecretStr, field_validator, model_validator
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from burgee_server.names import group_type_fault, name_fault

MEGABYTE = 1024 * 1024


def _address(text: str) -> str:
    host, _, port = text.rpartition(":")
    if not host or not port.isdecimal() or int(port) > 65_535:
        raise ValueError("must be HOST:PORT, such as 127.0.0.1:4750 or [::]:4750")
    return text


def _url(form: str) -> AfterValidator:
    """Its value may hold a password: what is said of it never does."""

    def check(url: SecretStr) -> SecretStr:
        scheme = form.partition("://")[0]
        if url.get_secret_value().partition("://")[0] not in (scheme, f"{scheme}s"):  # with TLS
            raise ValueError(f"must be {form}")
        return url

    return AfterValidator(check)


def _group_type(name: str) -> str:
    if fault := group_type_fault(name):
        raise ValueError(fault)
    return name


def _property(name: str) -> str:
    if fault := name_fault(name):
        raise ValueError(fault)
    return name


class Settings(BaseSettings):
    """Flags of the command line come first, then the environment, then the file, then these defaults."""

    model_config = SettingsConfigDict(env_prefix="BURGEE_", extra="forbid", frozen=True)

    data: Path = Field(Path("burgee-data"), description="Directory of everything that is kept; made if missing.")
    listen: Annotated[str, AfterValidator(_address)] = Field(
        "127.0.0.1:4750", description="HOST:PORT to serve gRPC on. Port 0 takes a free one."
    )
    role: str = Field(
        "all",
        pattern="^(all|api|loader)$",
        description="all; api to answer calls only; loader to do the work behind only. The last two with redis.",
    )
    processes: Annotated[int, Field(ge=1, le=64)] = Field(
        1, description="How many processes answer calls on the same port. More than one with redis only."
    )
    metrics_listen: Annotated[str, AfterValidator(_address)] | None = Field(
        None, description="HOST:PORT to serve Prometheus metrics on, over HTTP and without a key. Unset: nowhere."
    )
    database: Annotated[SecretStr, _url("postgresql+psycopg://USER:PASSWORD@HOST/NAME")] | None = Field(
        None, description="postgresql+psycopg://USER:PASSWORD@HOST/NAME. Unset: SQLite in the data directory."
    )
    warehouse: Annotated[SecretStr, _url("clickhouse://USER:PASSWORD@HOST:8123/DATABASE")] | None = Field(
        None,
        description="clickhouse://USER:PASSWORD@HOST:8123/DATABASE. Unset: ClickHouse in the process.",
    )
    redis: Annotated[SecretStr, _url("redis://:PASSWORD@HOST:6379/0")] | None = Field(
        None,
        description="redis://:PASSWORD@HOST:6379/0, for several nodes. Unset: one node, and what it needs in files.",
    )
    bootstrap_key: SecretStr | None = Field(
        None, description="The first API key's secret, on an empty data directory only. Unset: a random one."
    )
    journal_max_mb: Annotated[int, Field(gt=0)] = Field(
        1024,
        description="Megabytes of acknowledged events that may be outside the warehouse; beyond, capture refuses.",
    )
    journal_away: Literal["refuse", "local"] = Field(
        "refuse",
        description="refuse, or local to keep events in the data directory while redis cannot be reached.",
    )
    future_hours: Annotated[float, Field(ge=0, le=8_760)] = Field(
        24.0, description="How far ahead of the server's clock an event's timestamp may lie."
    )
    late_days: Annotated[float, Field(gt=0)] | None = Field(
        None, description="How old an event may be when it is captured, imports aside. Unset: as old as 1970."
    )
    capture_mb: Annotated[int, Field(gt=0)] = Field(
        16, description="Megabytes of batches that are being taken in at a time; beyond, capture refuses."
    )
    capture_calls: Annotated[int, Field(gt=0)] = Field(
        1_000, description="How many calls of Capture are answered at a time; beyond, capture refuses."
    )
    capture_companion: bool = Field(
        True, description="Check large batches of events in a process of its own, so that others wait for them less."
    )
    key_events_per_second: Annotated[float, Field(ge=0)] = Field(
        0.0, description="How many events each API key may send a second, unless it has a limit of its own. 0: any."
    )
    key_queries: Annotated[int, Field(ge=0)] = Field(
        50,
        description="How many questions each API key may have under way, unless it has a limit of its own. 0: any.",
    )
    query_memory_mb: Annotated[int, Field(gt=0)] = Field(
        512, description="Megabytes that one insight may use before it spills to disk."
    )
    group_columns: Annotated[tuple[Annotated[str, AfterValidator(_group_type)], ...], NoDecode] = Field(
        ("company",),
        description="Group types that questions are often asked by, with commas between: their keys get a column.",
    )
    property_columns: Annotated[tuple[Annotated[str, AfterValidator(_property)], ...], NoDecode] = Field(
        (),
        description="Event properties that questions are often asked by, with commas between: they get columns.",
    )
    query_seconds: Annotated[float, Field(gt=0)] = Field(
        60.0, description="Longest that one insight may run, whatever deadline its caller set."
    )
    cohort_seconds: Annotated[float, Field(ge=1)] = Field(
        300.0,
        description="How old members of a computed cohort may be, in seconds, for flags and where they are listed.",
    )
    profile_cache: Annotated[int, Field(gt=0)] = Field(
        100_000, description="How many persons and groups are kept in memory for flag checks."
    )
    watch_profiles: Annotated[int, Field(ge=0)] = Field(
        50_000,
        description="Groups of a type, and members of a cohort, that clients are sent of those that flags mention.",
    )
    drain_seconds: Annotated[float, Field(ge=0)] = Field(
        20.0, description="How long calls that are running may take to finish when the server stops."
    )
    transport: Literal["grpcio", "native"] = Field(
        "grpcio", description="What carries calls: gRPC's own server, or the faster one of the extra `native`."
    )
    tls_certificate: Annotated[Path, AfterValidator(Path.absolute)] | None = Field(
        None, description="PEM file of the certificate to show, and of those that it was signed by. Unset: no TLS."
    )
    tls_key: Annotated[Path, AfterValidator(Path.absolute)] | None = Field(
        None, description="PEM file of its private key, without a password. Both are read again when they change."
    )
    connections: Annotated[int, Field(ge=0)] = Field(
        20_000, description="How many connections may be open; more are closed, by grpcio at once. 0: any number."
    )
    connection_calls: Annotated[int, Field(ge=0)] | None = Field(
        None,
        description="How many calls a connection may have open, streams too. Unset: 16 on native, else any. 0: any.",
    )
    connection_seconds: Annotated[float, Field(ge=0)] = Field(
        0.0,
        description="How old a connection may get, so that balancers spread clients anew. 0: any. With grpcio only.",
    )
    connection_grace_seconds: Annotated[float, Field(gt=0)] = Field(
        300.0, description="How long calls that are open on it may then go on; streams of changes end before that."
    )
    drain_notice_seconds: Annotated[float, Field(ge=0)] = Field(
        0.0, description="How long a server that stops still takes calls, after its health has said NOT_SERVING."
    )
    log_level: str = Field("INFO", pattern="^(DEBUG|INFO|WARNING|ERROR)$", description="DEBUG, INFO, WARNING or ERROR.")
    log_format: str = Field("text", pattern="^(text|json)$", description="text, or json for one object a line.")

    @field_validator("group_columns", "property_columns", mode="before")
    @classmethod
    def _between_commas(cls, given: object) -> object:
        return tuple(filter(None, map(str.strip, given.split(",")))) if isinstance(given, str) else given

    @model_validator(mode="after")
    def _has_all_of_tls(self) -> Self:
        if (self.tls_certificate is None) != (self.tls_key is None):
            raise ValueError("tls_certificate and tls_key belong together: give both, or none to serve in plain text")
        if self.tls_certificate is not None and self.transport == "native":
            raise ValueError("the native transport has no TLS: leave out tls_certificate, or take grpcio")
        return self

    @model_validator(mode="after")
    def _limits_what_can_be_limited(self) -> Self:
        if self.transport == "native" and self.connection_seconds:
            raise ValueError(
                "the native transport does not limit the age of connections: take grpcio for connection_seconds"
            )
        return self

    @model_validator(mode="after")
    def _shares_all_or_nothing(self) -> Self:
        if self.redis is not None and (self.database is None or self.warehouse is None):
            raise ValueError("redis is for several nodes, which need a database and a warehouse in common, too")
        if self.redis is None and (self.role != "all" or self.processes > 1):
            raise ValueError(
                "role and processes are for several processes, which need a database, a warehouse and redis in common;"
                " without them one process has everything in its directory"
            )
        if self.redis is None and self.journal_away == "local":
            raise ValueError("journal_away is for several nodes: without redis, the journal is in the data directory")
        if self.role == "loader" and self.processes > 1:
            raise ValueError("one loader works at a time: processes are for those that answer calls")
        return self

    @property
    def tls(self) -> tuple[Path, Path] | None:
        """The files of the certificate and of its key; None: calls are in plain text."""
        return None if self.tls_certificate is None or self.tls_key is None else (self.tls_certificate, self.tls_key)

    def target(self, address: str) -> str:
        """What a client calls an address of this server."""
        return address if self.tls is None else f"https://{address}"


def read_settings(file: Path | None, **flags: object) -> Settings:
    """The settings in force; `flags` that are None were not given. Raises pydantic.ValidationError."""

    class FromFile(Settings):
        @classmethod
        def settings_customise_sources(
            cls,
            settings_cls: type[BaseSettings],
            init_settings: PydanticBaseSettingsSource,
            env_settings: PydanticBaseSettingsSource,
            dotenv_settings: PydanticBaseSettingsSource,
            file_secret_settings: PydanticBaseSettingsSource,
        ) -> tuple[PydanticBaseSettingsSource, ...]:
            return init_settings, env_settings, TomlConfigSettingsSource(settings_cls, file)

    return FromFile(**{name: value for name, value in flags.items() if value is not None})  # type: ignore[arg-type]
