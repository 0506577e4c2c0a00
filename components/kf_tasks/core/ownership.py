"""Whose the Apps of a Space are: what the state of a stack says, beside the templates that the cluster has.

The same name in the same namespace is not enough: another cluster may have it, another stack may have taken it over,
and somebody may have deleted and made it again. The UID of a template tells.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Iterable, Iterator, List, Mapping, Optional, Tuple

from . import marks, naming
from .api import Object

_PROVIDER = "pulumi:providers:kubernetes"
_CONFIG_MAP = "kubernetes:core/v1:ConfigMap"


@dataclass(frozen=True)
class Declared:
    """An App's template as a state has it.

    `stack` and `urn` are its label and its annotation, `uid` that of the cluster, `provider` the inputs of its
    Kubernetes provider; each is empty where the state does not tell it.
    """

    app: str
    namespace: str
    stack: str
    urn: str
    uid: str
    provider: Mapping[str, Any]

    @property
    def place(self) -> str:
        """What its provider says about its cluster, for people; no content of a kubeconfig."""
        context, kubeconfig = _text(self.provider.get("context")), self.provider.get("kubeconfig")
        return f"context {context!r}" if context else "a kubeconfig of its own" if kubeconfig else "the ambient cluster"


def declared(state: Object) -> List[Declared]:
    """The Apps that a state has; what is only still to be deleted is none of them."""
    found = [each for each in _resources(state) if not each.get("delete")]
    providers = {each["urn"]: each.get("inputs") or {} for each in found if each.get("type") == _PROVIDER}
    templates = [each for each in found if each.get("type") == _CONFIG_MAP]
    return [app for each in templates for app in [_declared(each, providers)] if app]


def stacks(state: Object) -> List[str]:
    """What the label of a stack's templates may be: by its name today, and as it was when they were written."""
    urns = [each["urn"].split("::") for each in _resources(state)]
    names = [naming.label_value(naming.stack_id(urn[1], urn[0].rpartition(":")[2])) for urn in urns[:1] if urn[1:]]
    return list(dict.fromkeys([*names, *(app.stack for app in declared(state) if app.stack)]))


def differences(
    namespace: str, mine: Iterable[Declared], templates: Iterable[Object], own: Iterable[str]
) -> Iterator[Tuple[str, str, str]]:
    """App, what is not right with it, and what to do: of those declared in a namespace, with its Apps' templates there.

    `own` are the labels of `stacks`.
    """
    there = {_label(each, marks.NAME): each for each in templates}
    known = {app.app: app for app in mine}
    for name, app in sorted(known.items()):
        trouble = _difference(app, there.get(name))
        if trouble:
            yield (name, *trouble)
    for name in sorted(set(there) - set(known)):
        if _label(there[name], marks.STACK) in set(own):
            delete = f"kubectl delete configmap kf-{name} -n {namespace}"
            yield name, "is this stack's by its label, and not in its state", f"declare it again, or {delete}"


def is_elsewhere(mine: Iterable[Declared], templates: Iterable[Object]) -> bool:
    """Whether no template is one that the state has: then the state is of another cluster, or of one that is lost."""
    uids = {str(each["metadata"].get("uid", "")) for each in templates}
    known = {app.uid for app in mine if app.uid}
    return bool(known) and not known & uids


def _resources(state: Object) -> List[Object]:
    return [each for each in state.get("resources") or [] if isinstance(each, dict) and "urn" in each]


def _declared(resource: Object, providers: Mapping[str, Object]) -> Optional[Declared]:
    metadata = (resource.get("inputs") or {}).get("metadata")
    if not isinstance(metadata, dict) or _label({"metadata": metadata}, marks.TEMPLATE) != "app":
        return None
    made = (resource.get("outputs") or {}).get("metadata")
    provider = str(resource.get("provider") or "").rpartition("::")[0]
    return Declared(
        app=_label({"metadata": metadata}, marks.NAME),
        namespace=_text(metadata.get("namespace")),
        stack=_label({"metadata": metadata}, marks.STACK),
        urn=_text(_plain(metadata.get("annotations")).get(marks.URN)),
        uid=_text(_plain(made).get("uid")),
        provider=providers.get(provider, {}),
    )


def _difference(app: Declared, template: Optional[Object]) -> Optional[Tuple[str, str]]:
    if template is None:
        return "is in the stack's state and not in the cluster", "pulumi refresh, then pulumi up"
    stack = _label(template, marks.STACK)
    if app.stack and stack != app.stack:
        whose = f"stack {stack!r}" if stack else "no stack"
        return f"is of {whose} by its label, and in the state of {app.stack!r}", "take it out of one of both programs"
    urn = _text(_plain(template["metadata"].get("annotations")).get(marks.URN))
    if app.urn and urn != app.urn:
        return f"says to be {urn or 'no App of a stack'}, and the state {app.urn}", "pulumi up --refresh"
    if app.uid and template["metadata"].get("uid") != app.uid:
        return "was deleted and made again, and not by this stack", "pulumi refresh, then pulumi up"
    return None


def _label(found: Object, name: str) -> str:
    return _text(_plain(found["metadata"].get("labels")).get(name))


def _plain(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(value: Any) -> str:
    """A text of a state; empty for what is none, such as a secret."""
    return value if isinstance(value, str) else ""
