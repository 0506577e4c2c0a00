"""Kf Tasks for Pulumi: short-lived work beside an application on Kubernetes.

The names are loaded when they are used: the provider's process and `kf` need none of the components.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .app import App
    from .schedule import TaskSchedule
    from .security import SecurityGroup
    from .service import Binding, Postgres, ServiceInstance
    from .source import Source
    from .space import Space
    from .task import Task

_MODULES = {
    "App": "app",
    "Binding": "service",
    "Postgres": "service",
    "SecurityGroup": "security",
    "ServiceInstance": "service",
    "Source": "source",
    "Space": "space",
    "Task": "task",
    "TaskSchedule": "schedule",
}
__all__ = ["App", "Binding", "Postgres", "SecurityGroup", "ServiceInstance", "Source", "Space", "Task", "TaskSchedule"]


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return getattr(import_module(f".{_MODULES[name]}", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
