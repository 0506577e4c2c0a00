"""The provider plugin of Kf Tasks, as Pulumi's Python host starts it."""

from kf_tasks.plugin.serving import serve

serve()
