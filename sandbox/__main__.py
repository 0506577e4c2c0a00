"""The sandbox's command line: `python3 -m sandbox COMMAND`."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from urllib.parse import urlsplit

from sandbox import environment, faults, packages
from sandbox.lifecycle import Sandbox
from sandbox.places import CHECKOUT
from sandbox.steps import Failure, Steps

COMMANDS = {
    "build": "build the tools and images into the cache",
    "hosts": "build what the tests of other languages need into the cache: hosts, a generator, what examples import",
    "up": "start or repair the sandbox",
    "down": "stop the sandbox and remove everything of it but the cache",
    "status": "tell for each part whether it runs",
    "env": "print export lines for a shell",
    "images": "print the images in the sandbox's registry",
    "extras": "build and pack the servers and clients of the examples, and push them if the sandbox is up",
}


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(prog="sandbox", description=__doc__)
    commands = top.add_subparsers(dest="command", required=True)
    for name, help_text in COMMANDS.items():
        commands.add_parser(name, help=help_text)
    for name in ("stop", "start"):
        commands.add_parser(name, help=f"{name} one part").add_argument("part")
    second = commands.add_parser("second", help="a second API server without nodes")
    second.add_argument("action", choices=("up", "down"))
    return top


def obey(chosen: argparse.Namespace, sandbox: Sandbox) -> int:
    """Runs one command and returns the exit code."""
    packages.require_root(sys.platform)
    match chosen.command:
        case "build":
            sandbox.build()
        case "hosts":
            sandbox.hosts()
        case "up":
            sandbox.up()
        case "down":
            sandbox.down()
        case "status":
            return 0 if sandbox.status() else 1
        case "env":
            print(env(sandbox), end="")
        case "images":
            record = sandbox.existing()
            for name, image in sandbox.build()[1].items():
                print(f"{record.registry}/{name} {image.digest}")
        case "extras":
            sandbox.extras()
        case "stop":
            faults.stop(sandbox, chosen.part)
        case "start":
            faults.start(sandbox, chosen.part)
        case "second" if chosen.action == "up":
            print(faults.second_up(sandbox))
        case "second":
            faults.second_down(sandbox)
    return 0


def env(sandbox: Sandbox) -> str:
    """The export lines; a local folder for Pulumi's state is made if it is missing."""
    values = environment.variables(
        sandbox.existing(),
        sandbox.places.kubeconfig,
        sandbox.pulumi_home,
        CHECKOUT,
        os.environ,
    )
    backend = urlsplit(values["PULUMI_BACKEND_URL"])
    if backend.scheme == "file" and Path(backend.path).is_relative_to(CHECKOUT):
        Path(backend.path).mkdir(parents=True, exist_ok=True)
    return environment.exports(values)


def main() -> int:
    try:
        return obey(parser().parse_args(), Sandbox(os.environ, Steps()))
    except Failure as failure:
        print(f"error: {failure}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
