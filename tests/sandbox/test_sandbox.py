"""The parts of the sandbox that need no cluster: keys, identities, addresses, texts."""

from __future__ import annotations

import io
import os
import shlex
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from sandbox import (
    cache,
    engine,
    environment,
    layers,
    network,
    packages,
    pki,
    processes,
    sweep,
    tekton,
    toolchain,
    tools,
    untyped,
)
from sandbox.cache import Cache
from sandbox.extras import Extras
from sandbox.images import SHELL, Image
from sandbox.layers import Root
from sandbox.places import MARKER, Places
from sandbox.processes import Identity, Part
from sandbox.record import Record, load
from sandbox.steps import Failure, Steps, duration

GO = "go1.26.8 linux amd64"
CHECKOUT = Path(__file__).parents[2]


def record() -> Record:
    return Record("10.88.0.1", "10.88.0.2", 30, "boot", path=["/cache/pulumi/bin", "/cache/kube/bin"])


KINDS = """package v2

import (
	"fmt"

	"github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/apiextensions"%s
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

func RegisterResource(ctx *pulumi.Context) {
	switch fullKind {
	case "v1/Pod":
		var res %s
		err := ctx.RegisterResource("kubernetes:core/v1:Pod", name, props, &res, opts...)
	default:
		var res apiextensions.CustomResource
		err := ctx.RegisterResource(fmt.Sprintf("kubernetes:%%s:%%s", apiVersion, kind), name, props, &res, opts...)
	}
}
"""
CORE = '\n\tcorev1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/core/v1"'


class TestTheProvidersSdk:
    def test_registers_each_kind_under_its_name_without_its_type(self) -> None:
        plain = untyped.without_types(KINDS % (CORE, "corev1.Pod"))
        assert plain == KINDS % ("", "apiextensions.CustomResource")

    @pytest.mark.parametrize("source", ["", "package v2\n", "\t\tvar res corev1.Pod\n"])
    def test_is_not_changed_where_it_is_another(self, source: str) -> None:
        with pytest.raises(Failure, match="its version has changed"):
            untyped.without_types(source)

    def test_and_how_it_is_taken_apart_determine_the_provider(self, monkeypatch: pytest.MonkeyPatch) -> None:
        before = tools.key(tools.KUBERNETES, GO), tools.key(tools.KUBE, GO)
        monkeypatch.setattr(untyped, "__file__", __file__)
        assert tools.key(tools.KUBERNETES, GO) != before[0]
        assert tools.key(tools.KUBE, GO) == before[1]


class TestKeys:
    def test_borders_between_inputs_count(self) -> None:
        assert cache.key(["ab", "c"]) != cache.key(["a", "bc"])

    def test_the_same_inputs_give_the_same_key(self) -> None:
        assert tools.key(tools.KUBE, GO) == tools.key(tools.KUBE, GO)

    def test_another_go_gives_another_key(self) -> None:
        assert tools.key(tools.KUBE, GO) != tools.key(tools.KUBE, "go1.26.9 linux amd64")

    def test_two_binaries_of_one_module_have_different_keys(self) -> None:
        assert tools.key(tools.KUBE, GO) != tools.key(tools.DNS, GO)

    @pytest.mark.parametrize("name", ["go.mod", "go.sum", "main.go"])
    def test_each_file_of_a_module_counts(self, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        for file in ("go.mod", "go.sum", "main.go"):
            (tmp_path / "kube").mkdir(exist_ok=True)
            (tmp_path / "kube" / file).write_text("one")
        monkeypatch.setattr(tools, "MODULES", tmp_path)
        before = tools.key(tools.KUBE, GO)
        (tmp_path / "kube" / name).write_text("two")
        assert tools.key(tools.KUBE, GO) != before

    def test_versions_compare_as_numbers(self) -> None:
        assert tools.numbers("v3.274.1") == (3, 274, 1)
        assert tools.numbers("go1.26.10 linux") > tools.numbers("go1.26.9")
        assert tools.numbers("") == ()

    def test_the_modules_name_a_go_version(self) -> None:
        assert tools.wanted_go() >= (1, 26)


class TestCache:
    def test_an_entry_is_made_once(self, tmp_path: Path) -> None:
        made: list[Path] = []
        store = Cache(tmp_path)
        entries = [store.fill("tool", "key", made.append) for _ in range(2)]
        assert entries == [tmp_path / "tool-key"] * 2
        assert len(made) == 1

    def test_an_interrupted_entry_goes_on_where_it_stopped(self, tmp_path: Path) -> None:
        store = Cache(tmp_path)

        def interrupted(folder: Path) -> None:
            (folder / "first").touch()
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            store.fill("tool", "key", interrupted)
        assert not store.entry("tool", "key").exists()
        seen: list[bool] = []
        entry = store.fill("tool", "key", lambda folder: seen.append((folder / "first").exists()))
        assert seen == [True]
        assert (entry / "first").exists()

    def test_a_second_holder_waits_and_says_so(self, tmp_path: Path) -> None:
        said = io.StringIO()
        code = (
            "import sys, time; from pathlib import Path; from sandbox.cache import Cache;"
            "from sandbox.steps import Steps\n"
            "with Cache(Path(sys.argv[1])).lock('build', Steps()): print('held', flush=True);"
            " time.sleep(0.5)"
        )
        command = [sys.executable, "-c", code, str(tmp_path)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=CHECKOUT) as other:
            assert other.stdout is not None
            assert other.stdout.readline() == "held\n"
            with Cache(tmp_path).lock("build", Steps(said)):
                assert other.wait() == 0
        assert "waiting" in said.getvalue()


class TestToolchain:
    @pytest.mark.parametrize(
        ("said", "supported"),
        [
            ("v3.274.1\n", True),
            ("3.200.0", True),
            ("v3.199.9", False),
            ("v4.0.0", False),
            ("", False),
        ],
    )
    def test_which_pulumi_is_used(self, said: str, supported: bool) -> None:
        assert engine.supported(said) is supported

    def test_a_suitable_pulumi_is_not_built(self, tmp_path: Path) -> None:
        for name in ("pulumi", engine.HOST):
            (tmp_path / name).write_text("#!/bin/sh\necho v3.250.0\n")
            (tmp_path / name).chmod(0o755)
        environ = {"PATH": f"{tmp_path}:/usr/bin:/bin"}
        store = Cache(tmp_path / "cache")
        assert tools.PULUMI not in toolchain.choose(store, environ)
        assert tools.PULUMI in toolchain.choose(store, {**environ, "SANDBOX_TOOLCHAIN": "build"})
        (tmp_path / engine.HOST).unlink()
        assert tools.PULUMI in toolchain.choose(store, environ)

    def test_what_is_long_is_said_before_it_begins(self, tmp_path: Path) -> None:
        said = io.StringIO()
        environ = {"PATH": "/usr/bin:/bin", "SANDBOX_TOOLCHAIN": "build"}
        needed = toolchain.missing(Cache(tmp_path), "go1", environ)
        assert needed == list(tools.ALL)
        toolchain.foretell(needed, 4, Steps(said))
        toolchain.foretell([], 4, Steps(said))
        built, time_, *more = said.getvalue().splitlines()
        assert not more and all(tool.title in built for tool in tools.ALL)
        minutes = int(time_.split("about ")[1].split()[0])
        assert minutes == round(sum(tool.minutes for tool in tools.ALL) / 2), "twice the cores, half the time"
        assert "on 4 cores" in time_ and "CLUSTER=current" in time_

    def test_our_own_pulumi_on_path_does_not_count(self, tmp_path: Path) -> None:
        bin_folder = tmp_path / "pulumi-1/bin"
        bin_folder.mkdir(parents=True)
        for name in ("pulumi", engine.HOST):
            (bin_folder / name).write_text("#!/bin/sh\necho v3.250.0\n")
            (bin_folder / name).chmod(0o755)
        assert engine.suitable({"PATH": str(bin_folder)}, tmp_path) is None

    def test_without_go_one_error_names_it_and_the_way_out(self) -> None:
        with pytest.raises(Failure, match=r"needs Go 1\.\d+.*CLUSTER=current"):
            toolchain.go_version({"PATH": "/nowhere"})

    def test_on_another_system_one_error_names_the_way_out(self) -> None:
        with pytest.raises(Failure, match=r"needs Linux.*CLUSTER=current"):
            packages.require_root("darwin")

    def test_without_root_one_error_names_the_way_out(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(os, "geteuid", lambda: 1000)
        with pytest.raises(Failure, match=r"needs root.*CLUSTER=current"):
            packages.require_root("linux")

    @pytest.mark.parametrize(("seconds", "text"), [(8.24, "8.2 s"), (60, "1 min 0 s"), (150, "2 min 30 s")])
    def test_durations(self, seconds: float, text: str) -> None:
        assert duration(seconds) == text


class TestEnvironment:
    def variables(self, **environ: str) -> dict[str, str]:
        return environment.variables(
            record(), Path("/home/kubeconfig"), Path("/cache/pulumi-home"), Path("/a b"), environ
        )

    def test_a_shell_reads_back_every_value(self) -> None:
        values = self.variables(PATH="/usr/bin:/bin")
        script = environment.exports(values) + "env -0"
        said = subprocess.run(["/bin/sh", "-c", script], text=True, capture_output=True, check=True).stdout
        seen = dict(line.split("=", 1) for line in said.split("\0") if line)
        assert {name: seen[name] for name in values} == values

    def test_path_begins_with_ours_and_keeps_the_rest_once(self) -> None:
        values = self.variables(PATH="/usr/bin:/cache/kube/bin:/bin")
        assert values["PATH"] == "/a b:/cache/pulumi/bin:/cache/kube/bin:/usr/bin:/bin"
        assert self.variables(PATH=values["PATH"])["PATH"] == values["PATH"]

    def test_pulumis_state_lies_in_the_checkout_unless_chosen(self) -> None:
        assert self.variables()["PULUMI_BACKEND_URL"] == "file:///a b/.pulumi-state?metadata=skip"
        assert self.variables()["PULUMI_CONFIG_PASSPHRASE"] == ""
        chosen = self.variables(PULUMI_BACKEND_URL="s3://x", PULUMI_CONFIG_PASSPHRASE="p")
        assert chosen["PULUMI_BACKEND_URL"] == "s3://x"
        assert chosen["PULUMI_CONFIG_PASSPHRASE"] == "p"

    def test_each_line_is_an_export(self) -> None:
        for line in environment.exports(self.variables()).splitlines():
            assert shlex.split(line)[0] == "export"

    def test_a_record_survives_its_file(self, tmp_path: Path) -> None:
        assert load(tmp_path / "record.json") is None
        record().save(tmp_path / "record.json")
        assert load(tmp_path / "record.json") == record()


class TestIdentity:
    def test_a_name_with_brackets_and_spaces(self) -> None:
        rest = " ".join(["S", *map(str, range(4, 52))])
        assert processes.parse_stat(f"12 (a) b (c)) {rest}\n") == ("S", 22)

    def test_a_living_process_is_itself(self) -> None:
        mine = processes.identify(os.getpid())
        assert mine is not None
        assert mine.alive()

    def test_a_recycled_pid_is_somebody_else(self) -> None:
        mine = processes.identify(os.getpid())
        assert mine is not None
        assert not Identity(mine.pid, mine.start - 1, mine.boot).alive()
        assert not Identity(mine.pid, mine.start, "another boot").alive()

    def test_a_process_that_is_somebody_else_gets_no_signal(self) -> None:
        mine = processes.identify(os.getpid())
        assert mine is not None
        Identity(mine.pid, mine.start - 1, mine.boot).kill(9)

    def test_a_dead_process_is_none_even_before_it_is_reaped(self) -> None:
        child = subprocess.Popen(["true"])
        try:
            assert processes.until(lambda: processes.identify(child.pid) is None, 5.0)
        finally:
            child.wait()

    def test_marked_processes_are_found_without_a_pid_file(self, tmp_path: Path) -> None:
        child = subprocess.Popen(["sleep", "30"], env={**os.environ, MARKER: str(tmp_path)})
        try:
            assert processes.until(lambda: [found.pid for found in processes.marked(tmp_path)] == [child.pid], 5.0)
            processes.end(processes.marked(tmp_path), 5.0)
            assert processes.marked(tmp_path) == []
        finally:
            child.wait()

    def test_another_command_line_or_file_is_another_spec(self) -> None:
        part = Part("a", ("x", "y"), {Path("f"): "1"})
        assert part.spec == Part("a", ("x", "y"), {Path("f"): "1"}).spec
        assert part.spec != Part("a", ("x",), {Path("f"): "1"}).spec
        assert part.spec != Part("a", ("x", "y"), {Path("f"): "2"}).spec


class TestTexts:
    def test_a_network_that_nobody_uses(self) -> None:
        assert network.choose(["192.0.2.0/24"]) == ("10.88.0.1", "10.88.0.2", 30)
        assert network.choose(["10.88.0.0/16"]) == ("10.89.0.1", "10.89.0.2", 30)
        with pytest.raises(Failure, match="No free network"):
            network.choose(["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"])

    def test_mounts_below_our_folder_only(self) -> None:
        lines = [
            "22 1 0:1 / / rw - ext4 x rw",
            "23 22 0:1 / /var/lib/kf-sandbox/a rw - tmpfs x rw",
            "24 23 0:1 / /var/lib/kf-sandbox/a/b\\040c rw - tmpfs x rw",
            "25 22 0:1 / /var/lib/kf-sandbox2 rw - tmpfs x rw",
        ]
        found = sweep.mounts_below(Path("/var/lib/kf-sandbox"), "\n".join(lines))
        assert found == ["/var/lib/kf-sandbox/a", "/var/lib/kf-sandbox/a/b c"]

    def test_certificates_carry_every_name(self) -> None:
        names = pki.certificates("10.88.0.1", "10.88.0.2")[0].names
        assert {"IP:10.88.0.1", "IP:127.0.0.1", "IP:10.96.0.1", "DNS:localhost"} <= set(names)

    def test_sandbox_home_moves_everything(self) -> None:
        places = Places.of({"SANDBOX_HOME": "/elsewhere"})
        assert places.kubeconfig == Path("/elsewhere/kubeconfig")
        assert Places.of({}).home == Path("/var/lib/kf-sandbox")

    def test_manifests_name_our_images_and_version(self) -> None:
        images = {name: Image(name, b"{}", ()) for name in (f"tekton/controller:v{tools.TEKTON}", SHELL)}
        text = (
            "image: ko://github.com/tektoncd/pipeline/cmd/controller\n"
            '"cgr.dev/chainguard/busybox@sha256:00ff"\n'
            'version: "devel"\n'
            'set-security-context: "false"\n'
            "readinessProbe:\n  initialDelaySeconds: 5\n  periodSeconds: 10\n"
        )
        digest = layers.digest(b"{}")
        assert tekton.translate(text, images, "r:5000") == (
            f"image: r:5000/tekton/controller@{digest}\n"
            f'"r:5000/tekton/shell@{digest}"\n'
            f'version: "v{tools.TEKTON}"\n'
            'set-security-context: "true"\n'
            "readinessProbe:\n  initialDelaySeconds: 1\n  periodSeconds: 1\n"
        )


class TestLayers:
    def root(self, folder: Path) -> Root:
        program = folder / "program"
        program.write_text("x")
        program.chmod(0o755)
        return Root({"bin/p": program}, {"etc/passwd": "root"}, {"bin/q": "p"}, {"tmp": 0o1777})

    def test_the_same_files_give_the_same_digests(self, tmp_path: Path) -> None:
        first = layers.pack(self.root(tmp_path), {})
        os.utime(tmp_path / "program", (1, 1))
        assert layers.pack(self.root(tmp_path), {}) == first

    def test_modes_links_and_parents(self, tmp_path: Path) -> None:
        archive = io.BytesIO(self.root(tmp_path).archive())
        with tarfile.open(fileobj=archive) as tar:
            found = {entry.name: (entry.mode, entry.linkname, entry.mtime) for entry in tar}
        assert found["bin/p"] == (0o755, "", 0)
        assert found["bin/q"] == (0o777, "p", 0)
        assert found["tmp"] == (0o1777, "", 0)
        assert found["bin"] == found["etc"] == (0o755, "", 0)


class TestExtras:
    def test_servers_of_go_are_missing_until_they_are_built(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(toolchain, "go_version", lambda _: GO)
        extras = Extras(Cache(tmp_path), {}, Steps())
        assert extras.missing() == [tools.MAILPIT.title, tools.VERSITYGW.title]
        assert extras.missing(["postgres", "clients"]) == [] and extras.program(tools.MAILPIT) is None
        program = Cache(tmp_path).entry("mailpit", tools.key(tools.MAILPIT, GO)) / "bin/mailpit"
        program.parent.mkdir(parents=True)
        program.touch()
        assert extras.missing() == [tools.VERSITYGW.title] and extras.program(tools.MAILPIT) == program

    def test_without_go_no_server_is_there(self, tmp_path: Path) -> None:
        assert Extras(Cache(tmp_path), {"PATH": str(tmp_path)}, Steps()).program(tools.MAILPIT) is None
