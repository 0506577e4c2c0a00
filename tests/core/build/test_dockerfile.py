"""What a build says when its Dockerfile needs a newer builder: the script, with a builder that tells a version."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from kf_tasks.core.build import dockerfile
from kf_tasks.core.build.spec import contents, sent
from kf_tasks.core.build.syntax import facts, needs, shown

TODAY = "FROM a\nRUN <<E\nE\nCOPY --link a b\n"
BUILDAH = """#!/bin/sh
case "$*" in
  --version) echo "buildah version $VERSION (image-spec 1.1.1)" ;;
  *" from "*|*" mount "*) echo somewhere ;;
  *) exit 125 ;;
esac
"""


def build(folder: Path, version: str, text: str = TODAY) -> list[str]:
    for name, program in (("buildah", BUILDAH), ("mkdir", "#!/bin/sh\n")):
        (folder / name).write_text(program)
        (folder / name).chmod(0o755)
    told = "\n".join(f"{shown(need.version)} {need}" for need in needs(text))
    arguments = ["build", "source", "image", "Dockerfile", "", "", told]
    environ = {"PATH": str(folder), "VERSION": version}
    done = subprocess.run(
        ["/bin/sh", "-c", dockerfile._SCRIPT, *arguments], env=environ, text=True, capture_output=True, check=False
    )
    assert (done.returncode, done.stderr) == (125, "")
    return done.stdout.splitlines()


@pytest.mark.parametrize(
    ("version", "older"),
    [("1.28.2", 2), ("1.33.0", 1), ("1.41.0-dev", 0), ("1.45.0", 0), ("2.0.1", 0), ("unknown", 0)],
)
def test_a_build_that_fails_says_what_its_builder_is_too_old_for(tmp_path: Path, version: str, older: int) -> None:
    found = build(tmp_path, version)
    assert found[0] == "build: step build failed with exit code 125" and len(found) == 1 + older
    told = [
        f"build: the Dockerfile has {what}, for which buildah {needed} is needed; the builder image has {version}: "
        "give a newer one with Space(builder_image=…)"
        for what, needed in (("COPY --link (line 4)", "1.41"), ("here-documents (line 2)", "1.33"))
    ]
    assert found[1:] == told[:older]
    assert len(build(tmp_path, version, "FROM a\n")) == 1


@pytest.mark.parametrize(
    ("image", "end"),
    [
        ("quay.io/buildah/stable:latest", "; it is quay.io/buildah/stable:latest"),
        ("r:5000/buildah", "; it is r:5000/buildah"),
        ("r:5000/buildah:v1.41.2", "; it is r:5000/buildah:v1.41.2"),
        (
            "r/buildah:v1.28@sha256:1",
            ", and by its name r/buildah:v1.28@sha256:1 is older: give another one with Space(builder_image=…)",
        ),
    ],
)
def test_the_preview_says_what_the_builder_has_to_know_and_which_one_it_is(image: str, end: str) -> None:
    line = sent({**contents({"Dockerfile": 1}, []), **facts(needs(TODAY), image)})[-1]
    assert line == (
        "its Dockerfile has COPY --link (line 4) and here-documents (line 2): the builder has to be buildah 1.41 or "
        f"newer{end}"
    )
    assert len(sent({**contents({"Dockerfile": 1}, []), **facts(needs("FROM a\n"), image)})) == 1
