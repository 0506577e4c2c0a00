"""Which texts look like secrets, as detect-secrets (Yelp) knows them: known formats, telling names, entropy."""

from __future__ import annotations

import json
from typing import Any

from detect_secrets.core.scan import get_plugins
from detect_secrets.settings import default_settings

_HARMLESS = ("Public IP (ipv4)",)


def kind_of(name: str, value: str) -> str:
    """What kind of secret a variable looks like, such as `AWS Access Key`; empty for none."""
    with default_settings():
        plugins: list[Any] = [plugin for plugin in get_plugins() if plugin.secret_type not in _HARMLESS]
        for line in value.splitlines():
            said = f"{name} = {json.dumps(line, ensure_ascii=False)}"
            for plugin in plugins:
                if plugin.analyze_line(filename="env.py", line=said, line_number=1):
                    return str(plugin.secret_type)
    return ""
