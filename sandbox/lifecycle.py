"""Up and down: brings a sandbox to where it should be, from wherever it is."""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping
from contextlib import AbstractContextManager
from pathlib import Path

from sandbox import cache as caches
from sandbox import (
    cgroups,
    cluster,
    control,
    engine,
    images,
    network,
    packages,
    pki,
    processes,
    registry,
    sweep,
    tekton,
    toolchain,
    tools,
)
from sandbox import record as records
from sandbox.api import Api
from sandbox.cache import Cache
from sandbox.extras import Extras
from sandbox.images import Image
from sandbox.places import Places
from sandbox.processes import Keeper, Part, until
from sandbox.programs import Programs
from sandbox.record import Record
from sandbox.steps import Failure, Steps, tail
from sandbox.toolchain import Toolchain


class Sandbox:
    """The one sandbox of this machine (or of SANDBOX_HOME)."""

    def __init__(self, environ: Mapping[str, str], steps: Steps) -> None:
        self.environ = environ
        self.steps = steps
        self.places = Places.of(environ)
        self.cache = Cache(caches.root(environ))
        self.keeper = Keeper(self.places)

    @property
    def pulumi_home(self) -> Path:
        return self.cache.folder / "pulumi-home"

    def lock(self) -> AbstractContextManager[None]:
        """One command at a time changes the sandbox."""
        return self.cache.lock("sandbox", self.steps)

    def build(self) -> tuple[Toolchain, dict[str, Image]]:
        """Packages, tools and images, from the cache where they are there already."""
        go = toolchain.go_version(self.environ)
        toolchain.foretell(toolchain.missing(self.cache, go, self.environ), len(os.sched_getaffinity(0)), self.steps)
        packages.ensure(self.steps, self.cache.folder / "packages.log", self.environ)
        built = toolchain.build(self.cache, go, self.environ, self.steps)
        engine.prepare_home(self.pulumi_home, built.provider)
        return built, images.build(self.cache, built.tekton, built.buildpacks, built.buildah, self.steps)

    def hosts(self) -> None:
        """What only the tests of the plugin need: language hosts beside the engine's own, and what programs import."""
        go = toolchain.go_version(self.environ)
        toolchain.fill(self.cache, tools.LANGUAGES, go, self.environ, self.steps)
        toolchain.build(self.cache, go, self.environ, self.steps)
        Programs(self.cache, self.environ, self.steps).prepare()

    def extras(self) -> None:
        """The images that the examples use beside the cluster's own: in the cache, and in the registry if it runs."""
        extras = Extras(self.cache, self.environ, self.steps)
        extras.build()
        packed = extras.pack().values()
        record = records.load(self.places.record)
        if record is None:
            self.steps.say("packed " + ", ".join(image.name for image in packed) + "; `make up` pushes them")
        else:
            registry.push(record.registry, packed)
            self.steps.say("pushed " + ", ".join(f"{record.registry}/{image.name}" for image in packed))

    def existing(self) -> Record:
        kept = records.load(self.places.record)
        if kept is None:
            raise Failure("The sandbox is not up. Start it with `make up`.")
        return kept

    def up(self) -> None:
        """Everything that is missing, and nothing else."""
        built, packed = self.build()
        packed = {**packed, **Extras(self.cache, self.environ, self.steps).packed()}
        with self.lock():
            record = self.prepare(built)
            base = cluster.base_parts(self.places, record)
            self.start(base)
            pushed: list[BaseException] = []
            pushing = threading.Thread(target=self.push, args=(record, base[0], packed, pushed))
            pushing.start()
            for part in base:
                self.keeper.wait(part)
            self.steps.say("API server ready")
            api = Api(self.places.kubeconfig)
            if record.afresh:
                tekton.forget_pods(api)
                record.afresh = False
                record.save(self.places.record)
            later = cluster.later_parts(self.places, record)
            self.start(later)
            cluster.apply_base(api, record)
            pushing.join()
            if pushed:
                raise pushed[0]
            self.install(record, built, packed)
            if not until(lambda: cluster.node_ready(api), 60.0):
                log = self.keeper.log_file("kubelet")
                raise Failure(f"The node is not ready after 60 s:\n{tail(log)}")
            self.steps.say("node ready")
            for part in later:
                self.keeper.wait(part)
            tekton.wait(api)
            self.steps.say("Tekton available: the sandbox is up")

    def prepare(self, tools: Toolchain) -> Record:
        """The record, the network, the groups and the keys."""
        record = records.load(self.places.record)
        if record is None:
            self.refuse_another()
            sweep.end_everything(self.places, gentle=False)
            sweep.unmount(self.places.home)
            network.remove(keep_folder=True)
            record = Record(
                *network.choose(network.routes()),
                boot=records.boot_id(),
                sysctls=records.read_sysctls(),
                existed=records.existing_folders(),
            )
        elif record.boot != records.boot_id() or not network.present():
            self.steps.say("the machine was restarted or the network is gone: starting afresh")
            record.afresh = True
            sweep.runtime_state(self.places, record)
            record.boot = records.boot_id()
        record.path = [str(folder) for folder in tools.path]
        record.kube, record.dns, record.tekton = map(str, (tools.kube, tools.dns, tools.tekton))
        record.containerd = str(tools.containerd)
        record.save(self.places.record)
        if not network.present():
            network.create(record)
            self.steps.say(f"network: node {record.node}")
        cgroups.create()
        pki.create(self.places.pki, record.node, record.host)
        control.write_kubeconfig(control.first(self.places), self.places, record)
        return record

    def refuse_another(self) -> None:
        """Names of links and namespaces are the machine's, so there can be only one."""
        for home in set(processes.homes().values()) - {self.places.home}:
            raise Failure(f"Another sandbox runs in {home}. Stop it first: SANDBOX_HOME={home} python3 -m sandbox down")

    def start(self, parts: list[Part]) -> None:
        started = [part.name for part in parts if self.keeper.start(part)]
        if started:
            self.steps.say("started " + ", ".join(started))

    def push(self, record: Record, part: Part, packed: dict[str, Image], failed: list[BaseException]) -> None:
        """Fills the registry beside everything else; what goes wrong is kept for the caller."""
        try:
            self.keeper.wait(part)
            number = registry.push(record.registry, packed.values())
            if number:
                self.steps.say(f"pushed {number} images to {record.registry}")
        except (Failure, OSError) as error:
            failed.append(error)

    def install(self, record: Record, tools: Toolchain, packed: dict[str, Image]) -> None:
        """Tekton's objects, unless the very same ones were applied before."""
        text = tekton.manifests(tools.tekton, packed, record.registry)
        if record.applied != tekton.applied(text):
            tekton.apply(tools.kubectl, self.places.kubeconfig, text)
            record.applied = tekton.applied(text)
            record.save(self.places.record)
            self.steps.say("Tekton's objects applied")

    def down(self) -> None:
        with self.lock():
            self.steps.say("stopping")
            sweep.everything(self.places, records.load(self.places.record))
            self.steps.say("the sandbox is down; nothing of it is left but the build cache")

    def status(self) -> bool:
        """One line per part on standard output; tells whether all run."""
        kept = records.load(self.places.record)
        if kept is None:
            print("the sandbox is down")
            return False
        healthy = True
        known = cluster.parts(self.places, kept)
        for name, part in known.items():
            found = self.keeper.running(name)
            answering = found is not None and part.answers()
            healthy = healthy and answering
            state = "stopped" if found is None else f"runs (pid {found[0].pid})"
            print(f"{name:20} {state}{'' if answering or found is None else ', does not answer'}")
        available = tekton.available(Api(self.places.kubeconfig))
        print(f"{'tekton':20} {'available' if available else 'not available'}")
        return healthy and available
