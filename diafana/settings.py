"""What can be set: on the command line, by DIAFANA_* in the environment, in a TOML file; in this order."""

import os
import re
import tomllib
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, SecretStr, field_validator, model_validator
from pydantic.types import PositiveFloat, PositiveInt
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from diafana.permissions import Permissions
from pacs.model import EVERYTHING

Port = Annotated[int, Field(ge=0, le=65535)]


def _ae_title(value: str) -> str:
    """Without the blanks at its ends (PS3.5 6.2). Raises ValueError."""
    title = value.strip(" ")
    if not title.isascii() or not title.isprintable() or "\\" in title or not 1 <= len(title) <= 16:
        raise ValueError("an AE title is up to 16 printable ASCII characters without backslash")
    return title


AeTitle = Annotated[str, AfterValidator(_ae_title)]

MOST_WORKERS = 4  # by default

LOOPBACK = ("127.0.0.1", "::1", "localhost")


class SettingsFileError(Exception):
    """The file of settings cannot be read; the message names it."""


class Settings(BaseSettings):
    """Every setting, read once. DIAFANA_CONFIG names the TOML file; it is `diafana.toml` when unset."""

    model_config = SettingsConfigDict(env_prefix="DIAFANA_", frozen=True, extra="forbid")

    data: Path = Field(Path("data"), description="Folder of everything: objects, index, derived files.")
    host: str = Field("127.0.0.1", description="Address to listen at.")
    http_port: Port = Field(8080, description="TCP port of the page, DICOMweb and FHIR; 0 takes a free one.")
    dimse_port: Port = Field(11112, description="TCP port of DICOM networking; 0 takes a free one.")
    hl7_port: Port | None = Field(
        None, description="TCP port for orders in HL7 v2 (MLLP); 0 takes a free one. Without it none is open."
    )
    aet: AeTitle = Field("DIAFANA", description="Our AE title.")
    called: Annotated[dict[AeTitle, Permissions], NoDecode] = Field(
        {},
        description="AE titles that we are called by, each with what may be asked under it, parted by "
        "commas, such as `DIAFANA: store query, VIEWERS: query retrieve`.",
    )
    called_otherwise: Annotated[Permissions, NoDecode] = Field(
        EVERYTHING,
        description="What may be asked of us under any other AE title; associations are rejected where "
        "that is `nothing`.",
    )
    unknown_peers: Annotated[Permissions, NoDecode] = Field(
        EVERYTHING,
        description="What systems may that are not known by `diafana peer`: store, query, retrieve; "
        "their associations are rejected where that is `nothing`.",
    )
    peers_over_http: bool = Field(
        False, description="Let the known systems be read and changed at /peers, although nobody logs in."
    )
    dimse_tls_port: Port | None = Field(
        None, description="TCP port of DICOM networking by TLS, usually 2762; none when unset, 0 a free one."
    )
    tls_certificate: Path | None = Field(None, description="PEM file with our certificate, and those above.")
    tls_key: Path | None = Field(None, description="PEM file with its key, where that is another one.")
    tls_authorities: Path | None = Field(
        None, description="PEM file with the certificates of those who issue the certificates of others."
    )
    tls_client_certificate: Literal["required", "optional", "none"] = Field(
        "required",
        description="Whether who calls by TLS shows a certificate: required, optional, none.",
    )
    tls_check_host: bool = Field(
        True, description="Whether the certificate of a system that we call by TLS must name its host."
    )
    workers: PositiveInt = Field(
        min(MOST_WORKERS, os.cpu_count() or 1), description="Processes that answer DICOM and HTTP."
    )
    unprotected: bool = Field(
        False, description="Listen beyond this machine although nobody is asked to log in."
    )
    accept_unknown_sop_classes: bool = Field(
        True, description="Take in private SOP classes, retired ones and those younger than our tables."
    )
    cors_origins: Annotated[tuple[str, ...], NoDecode] = Field(
        (),
        description="Origins of pages that may ask, such as https://viewer.example.org, parted by blanks.",
    )
    delete: bool = Field(True, description="Delete what is asked to be deleted, and heed rejection notes.")
    recycle_days: float = Field(
        30.0,
        ge=0,
        le=36_500,
        description="Days that the files of deleted objects are kept; 0 removes them at once.",
    )
    hide_rejected_for_quality: bool = Field(
        True, description="Hide what was rejected for its quality, instead of leaving it in regular use."
    )
    maximum_associations: PositiveInt = Field(100, description="DICOM associations open at once.")
    maximum_associations_per_address: PositiveInt = Field(
        50, description="DICOM associations open at once from one address, a process."
    )
    association_idle_seconds: PositiveFloat = Field(
        300.0, description="Seconds that an association may stay open without a request."
    )
    rest_seconds: PositiveFloat = Field(
        5.0, description="Seconds without a new image after which a series is taken for complete."
    )
    worklist_days: PositiveFloat = Field(
        30.0, description="Days that work items stay after their end, unless a subscriber holds them."
    )
    worklist_fallback: Annotated[tuple[AeTitle, ...], NoDecode] = Field(
        (),
        description="AE titles that are told of a restart beside the subscribers, parted by commas.",
    )
    mpps_forward: Annotated[tuple[AeTitle, ...], NoDecode] = Field(
        (),
        description="AE titles of known systems that are told of performed steps, too, parted by commas.",
    )
    fhir_push: str = Field(
        "", description="Base of a FHIR server that is sent each study, such as https://ehr.example.org/fhir."
    )
    fhir_push_token: SecretStr = Field(SecretStr(""), description="Bearer token for that server.")
    fhir_push_dry_run: bool = Field(False, description="Say what would be sent there, and send nothing.")
    fhir_subscription_endpoints: Annotated[tuple[str, ...], NoDecode] = Field(
        (),
        description="What the addresses begin with that FHIR Subscriptions may have called, such as "
        "https://ehr.example.org/hooks, parted by blanks.",
    )
    remote_over_http: bool = Field(
        False, description="Let who asks over HTTP search other archives, and get from them (`/remote`)."
    )
    shutdown_seconds: PositiveFloat = Field(
        30.0,
        description="Seconds that associations, downloads and what is sent have to finish when the service "
        "stops.",
    )

    @field_validator("cors_origins", "fhir_subscription_endpoints", mode="before")
    @classmethod
    def _are_listed(cls, value: object) -> object:
        return tuple(value.replace(",", " ").split()) if isinstance(value, str) else value

    @field_validator("called", mode="before")
    @classmethod
    def _are_rules(cls, value: object) -> object:
        """From titles and permissions, parted by colons. Raises ValueError."""
        if not isinstance(value, str):
            return value
        rules = {}
        for rule in filter(str.strip, value.split(",")):
            title, colon, permissions = rule.rpartition(":")
            if not colon:
                raise ValueError(f"{rule.strip()}: expected an AE title, a colon, and what may be asked")
            rules[title] = permissions
        return rules

    @field_validator("worklist_fallback", "mpps_forward", mode="before")
    @classmethod
    def _are_parted(cls, value: object) -> object:
        """By commas, for an AE title may have blanks."""
        return tuple(filter(str.strip, value.split(","))) if isinstance(value, str) else value

    @field_validator("fhir_push")
    @classmethod
    def _is_base(cls, value: str) -> str:
        parts = urlsplit(value)
        if value and (parts.scheme not in ("http", "https") or not parts.hostname or parts.query):
            raise ValueError("a base is an address such as https://ehr.example.org/fhir")
        return value.rstrip("/")

    @field_validator("fhir_subscription_endpoints")
    @classmethod
    def _are_addresses(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for one in value:
            if not re.fullmatch(r"https?://[A-Za-z0-9.-]+(:\d{1,5})?(/[A-Za-z0-9._~/-]*)?", one):
                raise ValueError("an address begins as https://ehr.example.org/hooks does, without query")
        return value

    @model_validator(mode="after")
    def _is_protected(self) -> "Settings":
        if self.host not in LOOPBACK and not self.unprotected:
            raise ValueError(
                f"{self.host} can be reached from other machines, and nobody is asked to log in yet: "
                "listen at 127.0.0.1, or set DIAFANA_UNPROTECTED=true where something else protects it"
            )
        return self

    @model_validator(mode="after")
    def _can_be_called(self) -> "Settings":
        if self.dimse_tls_port is not None and self.tls_certificate is None:
            raise ValueError(
                "dimse_tls_port needs tls_certificate, and tls_key where the key is in another file"
            )
        wants = self.tls_client_certificate != "none"
        if self.dimse_tls_port is not None and wants and self.tls_authorities is None:
            raise ValueError(
                "dimse_tls_port needs tls_authorities, by which certificates of clients are checked: set it, "
                "or tls_client_certificate=none"
            )
        return self

    @property
    def index_path(self) -> Path:
        """The file of the SQLite index."""
        return self.data / "index.sqlite"

    @property
    def fhir_path(self) -> Path:
        """The SQLite file of the FHIR resources that reports became; it can be made again."""
        return self.derived / "fhir.sqlite"

    @property
    def bell(self) -> Path:
        """The named pipe that wakes the followers."""
        return self.data / "bell"

    @property
    def outbox_bell(self) -> Path:
        """The pipe that wakes who sends what is asked to be sent."""
        return self.data / "outbox-bell"

    @property
    def commitment_bell(self) -> Path:
        """The pipe that wakes who looks at what peers want to be committed."""
        return self.data / "commitment-bell"

    @property
    def commitment_doors(self) -> Path:
        """The folder of named pipes that wake the associations whose peers wait for a commitment."""
        return self.data / "commitment-doors"

    @property
    def step_bell(self) -> Path:
        """The pipe that wakes who tells other systems of performed steps."""
        return self.data / "step-bell"

    @property
    def availability_bell(self) -> Path:
        """The pipe that wakes who tells other systems which instances are available."""
        return self.data / "availability-bell"

    @property
    def fhir_push_path(self) -> Path:
        """The SQLite file of what is sent to another FHIR server."""
        return self.data / "fhir-push.sqlite"

    @property
    def fhir_push_dry_run_path(self) -> Path:
        """The same of a dry run, which must not be taken for what was sent."""
        return self.data / "fhir-push-dry-run.sqlite"

    @property
    def fhir_push_bell(self) -> Path:
        """The pipe that wakes who sends it."""
        return self.data / "fhir-push-bell"

    @property
    def fhir_subscriptions_path(self) -> Path:
        """The SQLite file of who is subscribed, and what they are still to be told."""
        return self.data / "fhir-subscriptions.sqlite"

    @property
    def fhir_subscriptions_bell(self) -> Path:
        """The pipe that wakes who tells them."""
        return self.data / "fhir-subscriptions-bell"

    @property
    def exports(self) -> Path:
        """The folder of exports of the FHIR resources."""
        return self.derived / "exports"

    @property
    def exports_bell(self) -> Path:
        """The pipe that wakes who writes them."""
        return self.data / "exports-bell"

    @property
    def doorbells(self) -> Path:
        """The folder of named pipes that wake the workers whose subscribers have something to be told."""
        return self.data / "doorbells"

    @property
    def derived(self) -> Path:
        """The folder of what can be made again."""
        return self.data / "derived"

    @property
    def ohif(self) -> Path:
        """The folder of the OHIF viewer, where it is installed."""
        return self.data / "ohif"

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - its place in the signature
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - likewise
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Command line, environment, TOML file."""
        return init_settings, env_settings, _toml(settings_cls)


def unknown_variables() -> list[str]:
    """Variables of the environment that look like settings and are none, as after a slip of the pen."""
    known = {"DIAFANA_CONFIG", *(f"DIAFANA_{name.upper()}" for name in Settings.model_fields)}
    return sorted(name for name in os.environ if name.startswith("DIAFANA_") and name not in known)


def _toml(settings_cls: type[BaseSettings]) -> TomlConfigSettingsSource:
    named = os.environ.get("DIAFANA_CONFIG")
    file = Path(named or "diafana.toml")
    if named and not file.is_file():
        raise SettingsFileError(f"{file}: DIAFANA_CONFIG names this file, but it is not there")
    try:
        return TomlConfigSettingsSource(settings_cls, file)
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise SettingsFileError(f"{file}: this cannot be read as TOML: {error}") from error
