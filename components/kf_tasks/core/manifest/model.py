"""A Cloud Foundry `manifest.yml` with tasks, read as its author wrote it.

YAML turns `0755` into 493, `on` into True and `1.10` into 1.1; a variable of a task is text, so what
counts here is the text of the file. Everything that is wrong with a file is said in one error, with
application, key and line, because whoever fixes a manifest wants to do it once.

Here is the model; `document` gives the text of the file, `review` the report about it.
"""

from __future__ import annotations

from typing import Annotated, Any, List, Optional

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from .. import definition
from ..errors import InvalidInput
from ..run import sources
from .fields import (
    Address,
    Age,
    Annotations,
    AppName,
    BindingName,
    Certificates,
    Command,
    Count,
    Cpu,
    Cron,
    Data,
    Disk,
    Env,
    Events,
    Flag,
    Format,
    JobName,
    KeysOf,
    Labels,
    Parameters,
    Policy,
    Size,
    Span,
    TaskName,
    Text,
    Texts,
    When,
    Zone,
    entries,
    mapping,
)
from .nodes import Entries, kind

SPELLINGS = {"disk_quota": "disk-quota", "cpu_limit": "cpu-limit", "run_image": "run-image"}  # both mean the same key


class Entry(BaseModel):
    """A map of the manifest; a key without a value is a key that is not there."""

    model_config = ConfigDict(strict=True, frozen=True)

    @model_validator(mode="before")
    @classmethod
    def _given(cls, data: Any) -> Any:
        if not isinstance(data, dict):
            raise InvalidInput(f"{kind(data)}: write keys and values here")
        given = {key: value for key, value in data.items() if value is not None}
        for key, other in SPELLINGS.items():
            if given.get(other) is not None and key in cls.model_fields and spelled(data, key) == other:
                given[key] = given[other]
        return given


def spelled(data: Any, key: str) -> str:
    """The spelling of `key` that counts in a map: the one of its own before one that `<<` brought."""
    other = SPELLINGS.get(key, key)
    if other not in data or (key in data and key not in getattr(data, "merged", ())):
        return key
    return other


class Docker(Entry):
    """Cloud Foundry's way to name a ready image."""

    image: Text = Field(description="A ready image, best with a digest.")


class Dockerfile(Entry):
    """How the image is built, as Kf writes it."""

    path: Text = Field("Dockerfile", description="Its place in the folder that path names.")


class Metadata(Entry):
    """Labels and annotations of every task's run and pod."""

    labels: Labels = {}
    annotations: Annotations = {}


class Service(Entry):
    """A service that the application's tasks are bound to, by name."""

    name: Text = Field(description="A service that kf:services or the program declares.")
    binding_name: Optional[BindingName] = Field(None, description="The name of the binding, by default the service's.")
    parameters: Parameters = Field({}, description="What the binding is asked for.")

    @model_validator(mode="before")
    @classmethod
    def _named(cls, data: Any) -> Any:
        if not isinstance(data, str):
            return data
        entry = Entries()
        entry["name"] = data
        return entry


def _sorted(services: List[Service]) -> List[Service]:
    return sorted(services, key=lambda service: service.name)


class Process(Entry):
    """Cloud Foundry's process; the one of type `task` says what tasks inherit before the application does."""

    type: Text = Field(description="Only the type 'task' has an effect on tasks.")
    command: Optional[Command] = None
    memory: Optional[Size] = None
    disk_quota: Optional[Disk] = None


class Whole(Entry):
    """An existing Secret or ConfigMap whose every key is a variable."""

    secret: Optional[Text] = Field(None, description="The name of a Secret of the Space's namespace.")
    config_map: Optional[Text] = Field(None, description="In its place, the name of a ConfigMap.")
    prefix: Text = Field("", description="Stands before each key.")
    optional: Flag = Field(False, description="It may be missing.")

    @model_validator(mode="after")
    def _one(self) -> Whole:
        if (self.secret is None) == (self.config_map is None):
            raise InvalidInput("env_from: write secret: NAME or config_map: NAME, one of them")
        kind_of = sources.CONFIG_MAP if self.secret is None else sources.SECRET
        sources.check_object("env_from", kind_of, self.secret if self.config_map is None else self.config_map)
        sources.check_prefix("env_from", self.prefix)
        return self


class Told(Entry):
    """Who is told how tasks end: a webhook or a heartbeat, by its address."""

    webhook: Optional[Address] = Field(None, description="An address that is posted failures and recoveries.")
    heartbeat: Optional[Address] = Field(None, description="In its place, that of a service that misses a ping.")
    on: Optional[Events] = Field(None, description="What a webhook is told of, by default both.")
    format: Optional[Format] = Field(None, description="How a webhook is told, by default as CloudEvents.")
    ca: Optional[Certificates] = Field(None, description="Certificates in PEM of an authority of your own.")

    @model_validator(mode="after")
    def _one(self) -> Told:
        if (self.webhook is None) == (self.heartbeat is None):
            raise InvalidInput("notify: write webhook: ADDRESS or heartbeat: ADDRESS, one of them")
        if self.heartbeat is not None and (self.on or self.format):
            raise InvalidInput("notify: a heartbeat is told of every start and end, and has neither on nor format")
        return self


Notify = Annotated[Optional[List[Told]], BeforeValidator(entries)]


class Named(Entry):
    """Variables that come from existing Secrets and ConfigMaps."""

    secret_env: KeysOf = Field({}, description="Variables from keys of existing Secrets, each as NAME/KEY.")
    config_env: KeysOf = Field({}, description="Variables from keys of existing ConfigMaps, each as NAME/KEY.")
    env_from: Annotated[List[Whole], BeforeValidator(entries)] = Field(
        [], description="Existing Secrets and ConfigMaps whose every key is a variable."
    )

    @model_validator(mode="after")
    def _once(self) -> Named:
        given = [*getattr(self, "env", {}), *self.secret_env, *self.config_env]
        twice = sorted({name for name in given if given.count(name) > 1})
        if twice:
            raise InvalidInput(
                f"secret_env: {', '.join(twice)} stands in env or config_env, too: leave one of them out"
            )
        return self


class Work(Named):
    """What tasks and jobs have in common; what it does not say is the application's."""

    name: TaskName = Field(description="A name within the application: lower-case letters, digits and '-'.")
    command: Optional[Command] = Field(None, description="A text for /bin/sh -c, or a list that no shell sees.")
    args: Optional[Texts] = Field(None, description="Arguments after the entrypoint or after a list command.")
    env: Env = Field({}, description="Variables of this task; they win over the application's.")
    memory: Optional[Size] = None
    disk_quota: Optional[Disk] = None
    cpu: Optional[Cpu] = None
    timeout: Optional[Span] = Field(None, description="The time limit, by default the Space's; '0' for none.")
    retries: Count = Field(0, description="How often a failed task is tried again.")
    notify: Notify = Field(None, description="Who is told how it ends, by default those of the application.")


class TaskEntry(Work):
    """A task of an application, which runs with an update."""

    triggers: Data = Field(None, description="Any data: another value runs the task again.")
    when: When = Field(definition.CHANGE, description="When the task runs again.")


class JobEntry(Work):
    """A task of an application that a schedule starts, or `kf run-job`."""

    name: JobName = Field(description="A name within the application: lower-case letters, digits and '-'.")
    schedule: Optional[Cron] = Field(None, description="Five fields, or @daily; without it only kf run-job starts it.")
    time_zone: Optional[Zone] = Field(None, description="The zone of its schedule, by default Etc/UTC.")
    concurrency_policy: Policy = Field("Allow", description="What happens when its time comes while it runs.")
    suspend: Flag = Field(False, description="Nothing new starts while it is true.")
    starting_deadline: Optional[Span] = Field(None, description="How long a missed time is made up for.")
    catch_up: Flag = Field(False, description="Also make up for what went by while it was suspended.")


class Application(Named):
    """An application: image, environment, amounts, start command and tasks. Amounts are canonical."""

    name: AppName = Field(description="Lower-case letters, digits and '-'; '_' becomes '-'.")
    image: Optional[Text] = Field(None, description="A ready image, best with a digest.")
    docker: Optional[Docker] = None
    path: Optional[Text] = Field(None, description="Without an image: the folder that one is built from.")
    dockerfile: Optional[Dockerfile] = None
    builder: Optional[Text] = Field(None, description="In place of a Dockerfile: a builder image of buildpacks.")
    run_image: Optional[Text] = Field(None, description="What an image by buildpacks stands on.")
    buildpacks: Optional[Texts] = Field(None, description="Ids of the builder's buildpacks, in order.")
    env: Env = Field({}, description="Variables of every task.")
    services: Annotated[List[Service], BeforeValidator(entries), AfterValidator(_sorted)] = Field(
        [], description="Names, or maps with a name; their order has no effect."
    )
    memory: Optional[Size] = None
    disk_quota: Optional[Disk] = None
    cpu: Optional[Cpu] = None
    cpu_limit: Optional[Cpu] = None
    command: Optional[Command] = Field(None, description="The start command of tasks that have none of their own.")
    entrypoint: Optional[Command] = None
    args: Optional[Texts] = None
    metadata: Annotated[Optional[Metadata], BeforeValidator(mapping)] = None
    processes: Annotated[List[Process], BeforeValidator(entries)] = []
    task: Flag = Field(False, description="Says that the application is there for its tasks alone.")
    keep: Optional[Count] = Field(None, description="How many runs are kept, by default the Space's.")
    keep_failed: Optional[Count] = Field(None, description="How many failed runs are kept beyond those.")
    max_age: Optional[Age] = Field(None, description="Older runs go although they are among those ('30d'; 0: none).")
    pinned: Texts = Field([], description="Names of runs that stay.")
    min_history: Optional[Age] = Field(None, description="Warns where the kept runs reach back less far ('7d').")
    notify: Notify = Field(None, description="Who is told how tasks end, by default those of the Space; []: nobody.")
    tasks: Annotated[List[TaskEntry], BeforeValidator(entries)] = []
    jobs: Annotated[List[JobEntry], BeforeValidator(entries)] = []

    @property
    def ready_image(self) -> Optional[str]:
        """The image, whichever way it is named; None if it is built from `path`."""
        return self.docker.image if self.docker else self.image

    @property
    def for_tasks(self) -> Application:
        """The application as its tasks see it: what its process of type `task` says comes first."""
        process = next((one for one in self.processes if one.type == "task"), None)
        if process is None:
            return self
        own = {key: getattr(process, key) for key in ("command", "memory", "disk_quota")}
        own = {key: value for key, value in own.items() if value is not None}
        return self.model_copy(update={**own, **({"args": None} if "command" in own else {})})


class File(BaseModel):
    """The whole file: what stands beside `applications` can hold anchors, and has no effect otherwise."""

    applications: List[Application] = Field(min_length=1)
