"""What was started, is recorded, or comes back: the shortest mixes of update endings, each played by one task."""

from __future__ import annotations

from collections import Counter

from .conftest import Stack, eventually, kill_group, kubectl
from .witness import Witness, witness

# What a task does in five updates ("-": the program does not have it), and in which of them its command begins. The
# updates end: whole, failed elsewhere, killed while all that began goes on, whole, whole.
TRACES = {
    "aaaaa": "x....",
    "abbbb": "xx...",
    "aabbb": "x.x..",  # killed, and followed
    "aabaa": "x.x..",  # the state holds what it held before
    "aabab": "x.x..",  # killed, and followed when it is asked for again
    "abaaa": "xxx..",  # a definition that comes back runs again, once
    "-aaaa": ".x...",  # recorded by an update that failed elsewhere
    "-a--a": ".x..x",  # put back
    "--a-a": "..x.x",  # put back, and no state ever held it
    "aa--a": "x...x",
}
WHOLE, FAILED, KILLED = "whole", "failed elsewhere", "killed"


def _write(stack: Stack, seen: Witness, step: int, fails: bool) -> None:
    body = "app = App('shop', space=space, image=f'{R}/busybox:1', memory='16M', keep=1)\ntasks = [\n"
    for number, trace in enumerate(TRACES):
        if trace[step] != "-":
            command = f"{seen.call(f't{number}{trace[step]}')}; echo done"
            body += f"    Task('t{number}', app=app, command={command!r}),\n"
    body += "]\n"
    if fails:
        body += "Task('last', app=app, command='exit 3', opts=ResourceOptions(depends_on=tasks))\n"
    stack.write(body)


def test_ten_traces_through_updates_that_fail_and_are_killed(stack: Stack) -> None:
    expected: Counter[str] = Counter()
    with witness(stack) as seen:
        for step, ends in enumerate((WHOLE, FAILED, KILLED, WHOLE, WHOLE)):
            expected.update(f"t{number}{trace[step]}" for number, (trace, begins) in enumerate(TRACES.items())
                            if begins[step] == "x")  # fmt: skip
            _write(stack, seen, step, ends == FAILED)
            if ends == KILLED:
                seen.open.clear()
                process = stack.start()
                eventually(lambda: seen.begun == expected, 120, "all that is new begins")
                kill_group(process)
                stack.pulumi("cancel", "--yes").ok()
                seen.open.set()
            else:
                done = stack.up()
                assert (done.code != 0) == (ends == FAILED), done.text
                assert seen.begun == expected, f"update {step + 1}, {ends}: {done.text}"


def test_what_fails_while_something_else_goes(stack: Stack) -> None:
    """The engine leaves out what depends on a failure; of what it keeps of that nothing may name what is gone."""
    app = "app = App('shop', space=space, image=f'{{R}}/busybox:1', memory='16M', keep=1{})\n"
    one = "Task({!r}, app=app, command={!r})\n"
    stack.write(app.format("") + one.format("a", "echo a") + one.format("b", "echo b")).up().ok()
    stack.write(app.format("") + one.format("b", "exit 3") + one.format("c", "echo c"))
    assert "failed: exit code 3" in stack.up("--continue-on-error").failed().text
    # What every run needs cannot be made.
    kubectl("create", "secret", "generic", "kf-shop.env", "-n", stack.namespace)
    _freeze_secret(stack)
    secret = app.format(", env={'TOKEN': Output.secret('hush-hush')}")
    stack.write(secret + one.format("b", "echo d"))
    assert "immutable" in stack.up("--continue-on-error").failed().text
    kubectl("delete", "secret", "kf-shop.env", "-n", stack.namespace)
    assert (
        "failed: exit code 4" in stack.write(secret + one.format("d", "exit 4")).up("--continue-on-error").failed().text
    )
    stack.write(secret + one.format("d", "echo d")).up().ok()
    # What every run needs is there and cannot be changed.
    _freeze_secret(stack)
    stack.write(secret.replace("hush-hush", "hush-again") + one.format("e", "echo e"))
    assert "immutable" in stack.up("--continue-on-error").failed().text
    kubectl("delete", "secret", "kf-shop.env", "-n", stack.namespace)
    stack.write(secret + one.format("e", "echo e")).up("--refresh").ok()
    stack.up("--expect-no-changes").ok()
    stack.destroy().ok()
    assert not stack.runs()


def test_rename_whose_update_is_broken_off(stack: Stack) -> None:
    """The engine knows an alias of a component in one update alone; what it did not come to then stays itself."""
    app = "app = App({!r}, space=space, image=f'{{R}}/busybox:1', memory='16M', app_name='shop'{})\n"
    task = "Task({!r}, app=app, command='echo a'{})\n"
    now = ", opts=ResourceOptions(aliases=[pulumi.Alias(name={!r})])"
    renamed = task.format("b", now.format("shop-a"))
    stack.write(app.format("shop", "") + task.format("a", "")).up().ok()
    before = _uids(stack)
    kubectl("create", "secret", "generic", "kf-shop.env", "-n", stack.namespace)
    _freeze_secret(stack)
    stack.write(app.format("store", ", env={'TOKEN': Output.secret('hush-hush')}" + now.format("shop")) + renamed)
    assert "immutable" in stack.up().failed().text
    state = {one["urn"].split("::", 2)[2] for one in stack.state()["deployment"]["resources"]}
    assert {"kf:index:Task::shop-b", "kf:index:Task$pulumi-python:dynamic/kf:Run::shop-a"} <= state, "half-way"
    kubectl("delete", "secret", "kf-shop.env", "-n", stack.namespace)
    shown = stack.write(app.format("store", now.format("shop")) + renamed).up().ok().text
    assert "will run" not in shown and _uids(stack) == before
    stack.up("--expect-no-changes").ok()


def _freeze_secret(stack: Stack) -> None:
    """Makes Kubernetes refuse every change of the App's secret variables."""
    kubectl("patch", "secret", "kf-shop.env", "-n", stack.namespace, "-p", '{"immutable": true}')


def _uids(stack: Stack) -> list[str]:
    account = kubectl("get", "serviceaccount", "kf-shop", "-n", stack.namespace, "-o", "jsonpath={.metadata.uid}")
    return [account, *(run["metadata"]["uid"] for run in stack.runs())]
