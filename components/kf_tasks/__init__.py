"""Kf Tasks for Pulumi: short-lived work beside an application on Kubernetes.

The names are loaded when they are used: the provider's process and `kf` need none of the components.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .resources import (
        App,
        Binding,
        ConfigKey,
        ConfigRef,
        Heartbeat,
        Postgres,
        SecretKey,
        SecretRef,
        SecurityGroup,
        ServiceInstance,
        Source,
        Space,
        Task,
        TaskSchedule,
        Webhook,
    )

__version__ = "0.1.0"
__all__ = [
    "App",
    "Binding",
    "ConfigKey",
    "ConfigRef",
    "Heartbeat",
    "Postgres",
    "SecretKey",
    "SecretRef",
    "SecurityGroup",
    "ServiceInstance",
    "Source",
    "Space",
    "Task",
    "TaskSchedule",
    "Webhook",
]


def __getattr__(name: str) -> Any:
    if name in __all__:
        return getattr(import_module(".resources", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
