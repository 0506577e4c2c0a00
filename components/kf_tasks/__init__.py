"""Kf Tasks for Pulumi: short-lived work beside an application on Kubernetes.

The names are loaded when they are used: the provider's process and `kf` need none of the components.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .resources import (
        App as App,
    )
    from .resources import (
        Binding as Binding,
    )
    from .resources import (
        Postgres as Postgres,
    )
    from .resources import (
        SecurityGroup as SecurityGroup,
    )
    from .resources import (
        ServiceInstance as ServiceInstance,
    )
    from .resources import (
        Source as Source,
    )
    from .resources import (
        Space as Space,
    )
    from .resources import (
        Task as Task,
    )
    from .resources import (
        TaskSchedule as TaskSchedule,
    )

__version__ = "0.1.0"
__all__ = ["App", "Binding", "Postgres", "SecurityGroup", "ServiceInstance", "Source", "Space", "Task", "TaskSchedule"]


def __getattr__(name: str) -> Any:
    if name in __all__:
        return getattr(import_module(".resources", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
