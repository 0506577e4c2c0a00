"""The program: what a user declares, and what that registers with Pulumi."""

from .app import App
from .notify import Heartbeat, Webhook
from .references import ConfigKey, ConfigRef, SecretKey, SecretRef
from .security_group import SecurityGroup
from .service import Binding, Postgres, ServiceInstance
from .source import Source
from .space import Space
from .task import Task
from .task_schedule import TaskSchedule

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
