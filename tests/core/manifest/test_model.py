"""A manifest is read as its author wrote it, and all that is wrong with it is said at once."""

# ruff: noqa: E501 - messages stand here as a person reads them

from __future__ import annotations

from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
from kf_tasks.core.errors import InvalidInput
from kf_tasks.core.manifest import loading, model


def parse(text: str, **variables: Any) -> loading.Manifest:
    return loading.parse(dedent(text), "manifest.yml", variables)


def application(text: str, **variables: Any) -> model.Application:
    return parse(text, **variables).applications[0]


def problems(text: str, **variables: Any) -> list[str]:
    """The lines of the one error; the heading counts them."""
    with pytest.raises(InvalidInput) as refused:
        parse(text, **variables)
    heading, *found = str(refused.value).split("\n  ")
    said = "1 problem" if len(found) == 1 else f"{len(found)} problems"
    assert heading == f"manifest.yml cannot be used, it has {said}:"
    return found


def test_everything_that_can_be_said() -> None:
    found = parse(
        """\
        ---
        applications:
        - name: shop
          docker: {image: "registry/shop:1"}
          env: {ZONE: north}
          memory: 512m
          disk_quota: 1.5G
          cpu: 0.5
          cpu-limit: 1000m
          services:
          - zebra
          - {name: db, binding_name: main, parameters: {size: 3, on: true, at: 1.5, none: ~, deep: {1: [no, 0x10, "5"]}}}
          metadata: {labels: {team: a}, annotations: {note: 1.10}}
          command: ./serve
          entrypoint: [launch, --]
          args: [-v]
          task: true
          keep: 20
          keep_failed: 5
          max_age: 720h
          pinned: [shop-migrate-1a2b3c4d-1]
          min_history: 7d
          tasks:
          - name: migrate
            command: ./manage.py migrate
            env: {LEVEL: 1}
            memory: 1G
            disk_quota: 64M
            cpu: 250m
            timeout: 90s
            retries: 2
            triggers: {schema: [1, 2]}
            when: trigger
          - name: report
            args: [-x, 1]
          jobs:
          - name: nightly
            schedule: 0 3 * * *
            time_zone: Europe/Berlin
            concurrency_policy: Replace
            suspend: on
            starting_deadline: 10m
        - name: blog
          image: registry/blog:1
          task: yes
        """
    )
    shop, blog = found.applications
    assert (found.warnings, found.notes) == ([], [])
    nothing: dict[str, Any] = {"secret_env": {}, "config_env": {}, "env_from": [], "notify": None}
    assert shop.model_dump(exclude={"tasks", "jobs"}) == {
        **nothing,
        "name": "shop", "image": None, "docker": {"image": "registry/shop:1"}, "path": None,
        "dockerfile": None, "builder": None, "run_image": None, "buildpacks": None, "env": {"ZONE": "north"},
        "memory": "512Mi", "disk_quota": "1536Mi", "cpu": "500m", "cpu_limit": "1",
        "services": [
            {"name": "db", "binding_name": "main", "parameters": {
                "size": 3, "on": True, "at": 1.5, "none": None, "deep": {"1": [False, 16, "5"]}}},
            {"name": "zebra", "binding_name": None, "parameters": {}},
        ],
        "metadata": {"labels": {"team": "a"}, "annotations": {"note": "1.10"}}, "processes": [],
        "command": "./serve", "entrypoint": ["launch", "--"],
        "args": ["-v"], "task": True, "keep": 20, "keep_failed": 5, "max_age": "30d", "pinned": ["shop-migrate-1a2b3c4d-1"], "min_history": "7d",
    }  # fmt: skip
    assert shop.ready_image == "registry/shop:1"
    assert shop.tasks[0].model_dump() == {
        **nothing,
        "name": "migrate", "command": "./manage.py migrate", "args": None, "env": {"LEVEL": "1"}, "memory": "1Gi",
        "disk_quota": "64Mi", "cpu": "250m", "timeout": "1m30s", "retries": 2, "triggers": {"schema": ["1", "2"]},
        "when": "trigger",
    }  # fmt: skip
    assert shop.tasks[1].model_dump(exclude_unset=True) == {"name": "report", "args": ["-x", "1"]}
    assert shop.jobs[0].model_dump(exclude_unset=True) == {
        "name": "nightly", "schedule": "0 3 * * *", "time_zone": "Europe/Berlin", "concurrency_policy": "Replace",
        "suspend": True, "starting_deadline": "10m0s",
    }  # fmt: skip
    assert blog.model_dump() == {
        **nothing,
        "name": "blog", "image": "registry/blog:1", "docker": None, "path": None, "dockerfile": None,
        "builder": None, "run_image": None, "buildpacks": None,
        "env": {}, "memory": None, "disk_quota": None, "cpu": None, "cpu_limit": None, "command": None, "entrypoint": None, "args": None, "task": True, "keep": None, "keep_failed": None, "max_age": None, "pinned": [], "min_history": None,
        "tasks": [], "jobs": [], "services": [], "metadata": None, "processes": [],
    }  # fmt: skip
    assert blog.ready_image == "registry/blog:1"


VALUES = {
    "8080": "8080", "true": "true", "TRUE": "TRUE", "no": "no", "on": "on", "0755": "0755", "0o17": "0o17", "0x1F": "0x1F",
    "1.10": "1.10", "1_000": "1_000", "12:30:00": "12:30:00", "2026-03-29": "2026-03-29", "1e3": "1e3", ".nan": ".nan",
    "9007199254740993": "9007199254740993", "12345678901234567890": "12345678901234567890", "~": "", "": "", "null": "",
    '""': "", '"0755"': "0755", '"  both ends  "': "  both ends  ", "|\n      first\n        second": "first\n  second\n",
    ">-\n      one\n      line": "one line", '"gr\\u00fc\\u00df \\U0001F600"': "grüß 😀", "'{\"a\": 1}'": '{"a": 1}',
    "pa$$word$$$": "pa$$word$$$", "$(params.x) ${HOME}": "$(params.x) ${HOME}", "=": "=", "'~'": "~",
}  # fmt: skip


@pytest.mark.parametrize("written", list(VALUES))
def test_a_variable_is_the_text_of_the_file(written: str) -> None:
    found = loading.parse(f"applications:\n- name: a\n  image: i\n  env:\n    V: {written}\n").applications[0]
    assert found.env == {"V": VALUES[written]}


def test_a_block_without_content_is_empty() -> None:
    assert application("applications:\n- {name: a, image: i, env: , tasks: , memory: ~}").model_dump(
        include={"env", "tasks", "memory"}
    ) == {"env": {}, "tasks": [], "memory": None}


def test_all_problems_in_one_error() -> None:
    assert problems(
        """\
        applications:
        - name: shop
          memory: 1024
          cpu: fast
          keep: -1
          task: maybe
          env:
            JSON: {a: 1}
            LIST: [1]
            NUL: "a\\0b"
            1ST: x
            VCAP_SERVICES: "{}"
          tasks:
          - name: My Task
            command: x
            timeout: 5
          - command: x
            when: sometimes
          - name: ok
            command: ""
            retries: two
            args: all
        - image: i
        - nothing
        """
    ) == [
        "line 2: application 'shop': image: is missing: name a ready image with image: … or docker: {image: …}, "
        "or the folder of a Dockerfile with path: …",
        "line 3: application 'shop': memory: '1024' is no amount: write a number with a unit, such as '512M' or '1Gi'",
        "line 4: application 'shop': cpu: 'fast' is no amount of cpu: write cores or thousandths, such as '0.5' or '100m'",
        "line 5: application 'shop': keep: is '-1': write a whole number from 0 upwards here",
        "line 6: application 'shop': task: is 'maybe': write true or false here",
        "line 8: application 'shop': env.JSON: is a map: quote it, a variable is text",
        "line 9: application 'shop': env.LIST: is a list: quote it, a variable is text",
        "line 10: application 'shop': env.NUL: holds a NUL byte, which a variable cannot: leave it out",
        "line 11: application 'shop': env.1ST: '1ST' cannot name an environment variable: use letters, digits and '_', "
        "not beginning with a digit",
        "line 12: application 'shop': env.VCAP_SERVICES: VCAP_SERVICES is set by the platform and cannot be overridden: "
        "choose another name",
        "line 14: application 'shop': task 'My Task': name: task 'My Task': a name consists of lower-case letters, digits "
        "and '-', and begins and ends with a letter or digit: rename it, for example to 'my-task'",
        "line 16: application 'shop': task 'My Task': timeout: '5' is no span of time: write '30m', '1h30m' or '90s' "
        "('0' for no limit)",
        "line 17: application 'shop': task number 2: name: is missing",
        "line 18: application 'shop': task number 2: when: 'sometimes' is unknown: use one of change, trigger, always",
        "line 20: application 'shop': task 'ok': command: is empty: give it a value or leave it out",
        "line 21: application 'shop': task 'ok': retries: is 'two': write a whole number from 0 upwards here",
        "line 22: application 'shop': task 'ok': args: is 'all': write a list of texts here, such as ['-v', 'all']",
        "line 23: application number 2: name: is missing",
        "line 24: application number 3: is 'nothing': write keys and values here",
    ]


@pytest.mark.parametrize(
    ("image", "said"),
    [
        ("memory: 1G", "line 2: application 'a': image: is missing: name a ready image with image: … or "
         "docker: {image: …}, or the folder of a "
        "Dockerfile with path: …"),
        ("image: i\n  docker: {image: j}", "line 4: application 'a': image: is given twice, as image and as "
         "docker.image: leave one of them out"),
        ('image: ""', "line 3: application 'a': image: is empty: give it a value or leave it out"),
        ("image: [i]", "line 3: application 'a': image: is a list: write a text here"),
        ("docker: i", "line 3: application 'a': docker: is 'i': write keys and values here"),
        ("docker: {}", "line 3: application 'a': docker.image: is missing"),
        ("docker:\n    image: {}", "line 4: application 'a': docker.image: is a map: write a text here"),
        ("image: i\n  tasks: {}", "line 4: application 'a': tasks: is a map: write a list here, each entry after a '-'"),
        ("image: i\n  env: [A]", "line 4: application 'a': env: is a list: write keys and values here"),
        ("image: i\n  command: {a: b}", "line 4: application 'a': command: is a map: write a list of texts here, such as "
         "['-v', 'all']"),
        ("image: i\n  tasks:\n  - {name: t}", "line 5: application 'a': task 't': Start command not found on App or Task "
         "(task 't'): give command=… to the Task or to its App"),
    ],
)  # fmt: skip
def test_one_problem(image: str, said: str) -> None:
    assert problems(f"applications:\n- name: a\n  {image}\n") == [said]


def test_what_is_there_twice() -> None:
    assert problems(
        """\
        applications:
        - name: a
          image: i
          image: j
          env:
            A: 1
            A: 2
        - name: a
          image: i
          command: x
          tasks:
          - name: t
          - name: t
        """
    ) == [
        "line 4: application 'a': key 'image' is given twice, first in line 3: keep one",
        "line 7: application 'a': env: key 'A' is given twice, first in line 6: keep one",
        "line 8: application 'a': is there twice, first in line 2: rename one, or leave it out",
        "line 13: application 'a': task 't': is there twice, first in line 12: rename one, or leave it out",
    ]


def test_an_unknown_key_is_a_warning_with_the_nearest_known_one() -> None:
    found = parse(
        """\
        aplications: 1
        applications:
        - name: a
          docker: {image: i, username: u}
          diskquota: 1G
          zzz: 1
          command: x
          task: true
          tasks:
          - name: t
            comand: y
        """
    )
    assert found.warnings == [
        "manifest.yml: line 1: aplications: is unknown and has no effect, did you mean 'applications'?",
        "manifest.yml: line 4: application 'a': docker.username: has no effect on tasks: images are pulled with the "
        "credentials of the cluster: add a pull secret there",
        "manifest.yml: line 5: application 'a': diskquota: is unknown and has no effect, did you mean 'disk_quota'?",
        "manifest.yml: line 6: application 'a': zzz: is unknown and has no effect",
        "manifest.yml: line 11: application 'a': task 't': comand: is unknown and has no effect, did you mean 'command'?",
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "m.yml is empty: begin it with 'applications:' and a list of applications"),
        ("# nothing\n---\n", "m.yml is empty: begin it with 'applications:' and a list of applications"),
        ("a: [1\n", "m.yml is no YAML: line 2: expected ',' or ']', but got '<stream end>' (while parsing a flow sequence)"),
        ("a:\n\t- b\n", "m.yml is no YAML: line 2: found character '\\t' that cannot start any token (while scanning for "
         "the next token): indent with blanks"),
        ("a: 1\n---\nb: 1\n", "m.yml is no YAML: line 2: but found another document (expected a single document in the "
         "stream): keep one"),
        ("a: \x07\n", "m.yml is no YAML: line 1: a control character is not allowed"),
        ("a: *b\n", "m.yml is no YAML: line 1: found undefined alias 'b'"),
        ("text", "m.yml cannot be used, it has 1 problem:\n  line 1: the file is 'text': begin it with 'applications:'"),
        ("a: 1", "m.yml cannot be used, it has 1 problem:\n  line 1: applications: is missing: write a list of "
         "applications here, each after a '-'"),
        ("applications:", "m.yml cannot be used, it has 1 problem:\n  line 1: applications: has no value: write a list of "
         "applications here, each after a '-'"),
        ("applications: []", "m.yml cannot be used, it has 1 problem:\n  line 1: applications: is empty: write a list of "
         "applications here, each after a '-'"),
        ("? [a]\n: b\napplications: [{name: a, image: i}]", "m.yml cannot be used, it has 1 problem:\n  line 1: a key is "
         "a map or a list: write a text as key"),
    ],
)  # fmt: skip
def test_a_file_that_is_none(text: str, message: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        loading.parse(text, "m.yml")
    assert str(refused.value) == message


@pytest.mark.no_cover
def test_nested_aliases_are_refused_before_they_fill_the_memory() -> None:
    bomb = "a0: &a0 [x, x]\n" + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 12))
    with pytest.raises(InvalidInput, match="too many or too deeply nested aliases"):
        loading.parse(bomb)


def test_what_holds_itself_or_is_nested_without_end_is_refused() -> None:
    with pytest.raises(InvalidInput, match="too many or too deeply nested aliases"):
        loading.parse("a: &a [*a]\n")
    with pytest.raises(InvalidInput, match="nested"):
        loading.parse("a: " + "[" * 5000)


def test_anchors_and_shallow_merges() -> None:
    found = parse(
        """\
        defaults: &defaults
          image: i
          memory: 256M
          env: &env {REGION: north, LEVEL: info}
        small: &small {memory: 64M}
        applications:
        - name: plain
          <<: *defaults
        - name: own
          <<: [*small, *defaults]
          env: {<<: *env, LEVEL: debug}
        - name: none
          <<: *defaults
          memory: ~
        """
    )
    assert {finding.kind for finding in found.findings} == {"idle"} and found.notes == []
    assert [(one.name, one.memory, one.env) for one in found.applications] == [
        ("plain", "256Mi", {"REGION": "north", "LEVEL": "info"}),
        ("own", "64Mi", {"REGION": "north", "LEVEL": "debug"}),
        ("none", None, {"REGION": "north", "LEVEL": "info"}),
    ]
    assert problems("applications:\n- name: a\n  image: i\n  <<: [x]\n") == [
        "line 4: application 'a': '<<' is 'x': it can only insert maps"
    ]


def test_variables_are_inserted_after_parsing() -> None:
    found = application(
        """\
        applications:
        - name: ((app))-worker
          image: ((registry))/busybox:1
          keep: ((keep))
          task: ((task))
          args: ((list))
          env:
            RELEASE: r-((release))
            TWICE: ((serial))/((serial))
            NOTE: ((note))
            FLAG: ((task))
            LITERAL: '(( spaced ))'
          entrypoint: 'echo $((keep + 1)) $((keep)) ((app))'
        """,
        app="tally", registry="r:5000", keep=5, task=True, list=["one", 2], release=60.2, serial="0012", note="a: b\nc",
    )  # fmt: skip
    assert found.model_dump(include={"name", "image", "keep", "task", "args", "env", "entrypoint"}) == {
        "name": "tally-worker",
        "image": "r:5000/busybox:1",
        "keep": 5,
        "task": True,
        "args": ["one", "2"],
        "env": {
            "RELEASE": "r-60.2", "TWICE": "0012/0012", "NOTE": "a: b\nc", "FLAG": "true", "LITERAL": "(( spaced ))",
        },
        "entrypoint": "echo $((keep + 1)) $((keep)) tally",
    }  # fmt: skip


def test_missing_variables_are_all_named_and_nothing_follows_from_them() -> None:
    assert problems(
        """\
        applications:
        - name: ((absent))
          image: i
          memory: ((also_absent))
          cpu: no
          env: {A: "((list))!"}
        """,
        list=[1],
    ) == [
        "line 2: application '((absent))': name: variable ((absent)) has no value: set kf:vars.absent in the stack's "
        "configuration (for kf check: --var absent=VALUE)",
        "line 4: application '((absent))': memory: variable ((also_absent)) has no value: set kf:vars.also_absent in the "
        "stack's configuration (for kf check: --var also_absent=VALUE)",
        "line 5: application '((absent))': cpu: 'no' is no amount of cpu: write cores or thousandths, such as '0.5' or "
        "'100m'",
        "line 6: application '((absent))': env.A: variable ((list)) is a list: it cannot stand within a text",
    ]


def test_a_variable_of_another_shape_is_checked_like_the_file() -> None:
    assert problems(
        "applications:\n- name: a\n  image: ((i))\n  env: ((e))\n", i="x", e={"A": {"b": 1}, "C": None}
    ) == ["line 4: application 'a': env.A: is a map: quote it, a variable is text"]
    assert application("applications: ((all))", all=[{"name": "a", "image": "i", "keep": 3}]).keep == 3


def test_loading_a_file(tmp_path: Path) -> None:
    path = tmp_path / "manifest.yml"
    path.write_bytes(b"\xef\xbb\xbfapplications:\r\n- name: a\r\n  image: ((i))\r\n")
    assert loading.load(path, {"i": "x"}).applications[0].image == "x"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "there is no manifest {}: create it, or name another file with 'pulumi config set kf:manifest FILE'"),
        (b"a: 1\nb: \xff\n", "{}: line 2 is no UTF-8: save the file as UTF-8"),
        (b"#" * (1024 * 1024 + 1), "{} has 1048577 bytes, a manifest has at most 1048576"),
    ],
)
def test_a_file_that_cannot_be_read(tmp_path: Path, content: bytes | None, message: str) -> None:
    path = tmp_path / "manifest.yml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InvalidInput) as refused:
        loading.load(path)
    assert str(refused.value) == message.format(path)
    with pytest.raises(InvalidInput, match="cannot be read: Is a directory"):
        loading.load(tmp_path)
