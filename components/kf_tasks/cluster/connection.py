"""Which cluster, and the credentials for it, as the official client finds them.

Authentication (exec plugins, rotated tokens, in-cluster accounts, proxies) is what it is good at. Never imported by
the program itself.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import urllib3
import yaml
from kubernetes import client, config
from kubernetes.config.config_exception import ConfigException

from ..errors import Unreachable

POOL = 32
LONGEST_WAIT = 5  # seconds before a request is sent again, whatever the server asks for
LONGEST_PATH = 255  # what is longer is content that lost its line ends, and not to be shown


class _Retry(urllib3.Retry):
    """A `Retry-After` counts up to LONGEST_WAIT: a request is over within half a minute of silence."""

    def get_retry_after(self, response: urllib3.BaseHTTPResponse) -> float | None:
        """The seconds that the server asks for, within bounds."""
        asked = super().get_retry_after(response)
        return None if asked is None else min(asked, LONGEST_WAIT)


@dataclass(frozen=True)
class Connection:
    """Which cluster: a kubeconfig (path or content), a context and a cluster of it; all None is the ambient one."""

    kubeconfig: str | None = None
    context: str | None = None
    cluster: str | None = None

    @classmethod
    def of(cls, settings: Mapping[str, Any] | None) -> Connection:
        """The connection described by a resource's input."""
        given = settings or {}
        return cls(given.get("kubeconfig") or None, given.get("context") or None, given.get("cluster") or None)

    def configure(self, folder: str) -> client.Configuration:
        """Addresses and credentials; raises Unreachable if there is no usable configuration.

        Keys and certificates that the kubeconfig itself holds are written into `folder`, for OpenSSL to read.
        """
        target = client.Configuration()
        try:
            self._load(target, folder)
        except (ConfigException, OSError) as error:
            raise Unreachable(f"no usable cluster configuration: {error}") from None
        except yaml.YAMLError as error:  # its own text quotes the line, which may be the one with the token
            mark = getattr(error, "problem_mark", None)
            where = f" in line {mark.line + 1}, column {mark.column + 1}" if mark else ""
            raise Unreachable(f"no usable cluster configuration: the kubeconfig is no YAML{where}") from None
        except (TypeError, ValueError, LookupError, AttributeError) as error:
            said = f"the kubeconfig is not built as one ({type(error).__name__}: {error})"
            raise Unreachable(f"no usable cluster configuration: {said}") from None
        target.refresh_api_key_hook = None  # else an exec plugin runs on every request of a token's last minutes
        target.api_key = {name: value.strip() for name, value in target.api_key.items()}
        target.connection_pool_maxsize = POOL
        target.keep_alive = True  # else a log stream whose other end vanished is waited for without end
        target.retries = _Retry(
            total=6, connect=1, read=0, other=1, backoff_factor=0.2, backoff_max=LONGEST_WAIT, raise_on_status=False,
            status_forcelist=(429, 500, 502, 503, 504), allowed_methods={"GET", "DELETE"},
        )  # fmt: skip
        return target

    def _load(self, target: client.Configuration, folder: str) -> None:
        path = self.kubeconfig or os.environ.get("KUBECONFIG")
        if path is None and not Path(config.kube_config.KUBE_CONFIG_DEFAULT_LOCATION).expanduser().exists():
            if "KUBERNETES_SERVICE_HOST" in os.environ:
                config.load_incluster_config(client_configuration=target)
                return
            raise ConfigException("no kubeconfig is given, KUBECONFIG is not set and ~/.kube/config does not exist")
        content = self._content(path)
        if self.cluster:
            wanted = self.context or content.get("current-context")
            for entry in content.get("contexts", []):
                if entry["name"] == wanted:
                    entry["context"]["cluster"] = self.cluster
        config.load_kube_config_from_dict(
            content, context=self.context, client_configuration=target, temp_file_path=folder
        )

    def _content(self, path: str | None) -> dict[str, Any]:
        if path and ("\n" in path or path.lstrip().startswith("{")):
            parsed = yaml.safe_load(path)
            if not isinstance(parsed, dict):
                raise ConfigException("the kubeconfig is neither a file's path nor YAML")
            return parsed
        merged = config.kube_config.KubeConfigMerger(path or config.kube_config.KUBE_CONFIG_DEFAULT_LOCATION).config
        if merged is None:
            shown = (
                repr(path) if path is None or len(path) <= LONGEST_PATH else f"of {len(path)} characters in one line"
            )
            raise ConfigException(f"kubeconfig {shown} does not exist or is empty")
        content: dict[str, Any] = merged.value
        return content
