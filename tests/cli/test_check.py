"""`kf check` says about a manifest what an update would say, without a cluster."""

# ruff: noqa: E501 - messages stand here as a person reads them

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from kf_tasks.cli.main import kf

MANIFEST = """\
applications:
- name: shop
  docker: {image: ((registry))/shop}
  task: true
  memory: 512m
  services: [db]
  env: {MODE: ((mode))}
  tasks:
  - {name: migrate, command: ./migrate}
"""


def check(folder: Path, *arguments: str, manifest: str = MANIFEST) -> Result:
    (folder / "manifest.yml").write_text(manifest)
    return CliRunner().invoke(kf, ["check", str(folder / "manifest.yml"), *arguments])


def test_a_manifest_that_can_be_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUBECONFIG", "/nowhere")
    (tmp_path / "vars.yml").write_text("registry: r:5000\nmode: 0644\n")
    found = check(tmp_path, "--vars-file", str(tmp_path / "vars.yml"), "--var", "mode=0755")
    assert found.exit_code == 0
    assert found.output == (
        "manifest.yml: line 7: application 'shop': env.MODE: stays '0755', but other tools give 493, because it is unquoted: quote it\n"
        f"{tmp_path}/manifest.yml can be used: 1 application, 1 task.\n"
        "It needs services that kf:services or the program declares: db.\n"
        "What Kf and Cloud Foundry do otherwise:\n"
        "  manifest.yml: line 4: application 'shop': task: Cloud Foundry does not know it and starts the application: use --task there\n"
        "  manifest.yml: line 5: application 'shop': memory: Kf hands 512m to Kubernetes as it is, which reads m as a thousandth: use a capital letter there\n"
        "  manifest.yml: line 7: application 'shop': env.MODE: Kf and Cloud Foundry give the task another text than the file shows\n"
        "  manifest.yml: line 8: application 'shop': tasks: Kf and Cloud Foundry do not know it and leave it out: start its tasks there with run-task\n"
    )


def test_everything_that_is_wrong_ends_with_1(tmp_path: Path) -> None:
    found = check(tmp_path, "--service", "mail")
    assert found.exit_code == 1
    assert found.stderr == (
        "kf: manifest.yml cannot be used, it has 3 problems:\n"
        "  line 3: application 'shop': docker.image: variable ((registry)) has no value: set kf:vars.registry in the stack's configuration (for kf check: --var registry=VALUE)\n"
        "  line 6: application 'shop': service 'db': nobody declares it (declared: mail): declare it in kf:services or in the program\n"
        "  line 7: application 'shop': env.MODE: variable ((mode)) has no value: set kf:vars.mode in the stack's configuration (for kf check: --var mode=VALUE)\n"
    )


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["--var", "x"], 2, "'x' has no value: write NAME=VALUE"),
        (
            ["--vars-file", "/nowhere.yml"],
            1,
            "there is no file of variables /nowhere.yml: create it, or name another one",
        ),
    ],
)
def test_wrong_use(tmp_path: Path, arguments: list[str], code: int, said: str) -> None:
    found = check(tmp_path, *arguments)
    assert found.exit_code == code and said in found.stderr


def test_what_is_only_warned_of_is_said_beside_problems(tmp_path: Path) -> None:
    slips = (
        "applications:\n- name: shop\n  imgae: busybox:1\n  task: true\n  tasks:\n  - name: t\n    comand: ./migrate\n"
    )
    found = check(tmp_path, manifest=slips)
    assert found.exit_code == 1
    assert found.stderr.startswith("kf: manifest.yml cannot be used, it has 2 problems:\n")
    assert found.stdout == (
        "manifest.yml: line 3: application 'shop': imgae: is unknown and has no effect, did you mean 'image'?\n"
        "manifest.yml: line 7: application 'shop': task 't': comand: is unknown and has no effect, did you mean 'command'?\n"
    )


def test_lists_and_maps_as_the_command_line_gives_them(tmp_path: Path) -> None:
    manifest = "applications:\n- {name: a, image: i, task: true, command: ((c)), env: ((e))}\n"
    assert check(tmp_path, "--var", "c=[a, b]", "--var", "e={A: 1}", manifest=manifest).exit_code == 0
    found = check(tmp_path, "--var", "c=[a", "--var", "e=a", manifest=manifest)
    assert found.stderr.endswith("  line 2: application 'a': env: is 'a': write keys and values here\n")


def test_values_as_the_command_line_gives_them(tmp_path: Path) -> None:
    manifest = "applications:\n- {name: a, docker: {image: i}, task: ((t)), env: {A: ((a)), B: x((a))}}\n"
    found = check(tmp_path, "--var", "t=true", "--var", "a=b=c: [d", manifest=manifest)
    assert found.exit_code == 0, found.output
    assert check(tmp_path, "--var", "t=true", "--var", "a=", manifest=manifest).exit_code == 0


def test_for_programs(tmp_path: Path) -> None:
    good = check(tmp_path, "--var", "registry=r:5000", "--var", "mode='x'", "-o", "json")
    found = json.loads(good.stdout)
    assert good.exit_code == 0 and found["usable"] and found["problems"] == [] and len(found["differences"]) >= 3
    assert (found["applications"], found["tasks"], found["jobs"], found["services"]) == (1, 1, 0, ["db"])
    bad = check(tmp_path, "--service", "mail", "-o", "json")
    found = json.loads(bad.stdout)
    assert (bad.exit_code, bad.stderr, found["usable"], len(found["problems"])) == (1, "", False, 3)
    assert found["problems"][1].startswith("manifest.yml: line 6: application 'shop': service 'db': nobody declares it")
    gone = CliRunner().invoke(kf, ["check", str(tmp_path / "none.yml"), "-o", "yaml"])
    assert gone.exit_code == 1 and "usable: false\nproblems:\n- 'there is no manifest /" in gone.stdout
