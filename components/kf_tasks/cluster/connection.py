"""Which cluster: what a resource, a flag or the environment says of it, and the credentials for it.

Never imported by the program itself.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from . import credentials
from .access import Access, unusable
from .kubeconfig import VARIABLE, Entry, Kubeconfig, shown

_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")  # of a pod


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

    def access(self) -> Access:
        """Address and credentials; raises Unreachable if there is no usable configuration."""
        config = Kubeconfig.read(self.kubeconfig)
        if config is None:
            if self.kubeconfig or os.environ.get(VARIABLE):
                raise unusable(f"kubeconfig {shown(self.kubeconfig)} does not exist or is empty")
            if "KUBERNETES_SERVICE_HOST" in os.environ:
                return _of_pod()
            raise unusable("no kubeconfig is given, KUBECONFIG is not set and ~/.kube/config does not exist")
        try:
            return self._chosen(config)
        except OSError as error:
            raise unusable(str(error)) from None
        except (TypeError, ValueError, LookupError, AttributeError) as error:
            raise unusable(f"the kubeconfig is not built as one ({type(error).__name__}: {error})") from None

    def _chosen(self, config: Kubeconfig) -> Access:
        name = self.context or config.current
        if not name:
            raise unusable("the kubeconfig chooses no context: name one")
        if name not in config.contexts:
            raise unusable(f"the kubeconfig has no context {name!r}")
        context = config.contexts[name].value
        wanted = self.cluster or context.get("cluster")
        if not wanted:
            raise unusable(f"context {name!r} of the kubeconfig names no cluster")
        if wanted not in config.clusters:
            raise unusable(f"the kubeconfig has no cluster {wanted!r}, which context {name!r} names")
        cluster = config.clusters[wanted]
        host = str(cluster.value.get("server") or "").rstrip("/")
        if not host:
            raise unusable(f"the cluster {wanted!r} of the kubeconfig has no server")
        user = config.users.get(context.get("user", ""), Entry({}))
        its = credentials.of(user, cluster)
        is_secure = host.lower().startswith("https")
        return Access(
            host,
            its.authorization,
            credentials.pem(cluster, "certificate-authority") if is_secure else None,
            its.certificate if is_secure else None,
            its.key if is_secure else None,
            verify=not cluster.value.get("insecure-skip-tls-verify"),
            server_name=cluster.value.get("tls-server-name") or None,
            proxy=cluster.value.get("proxy-url") or None,
            impersonation=credentials.impersonation(user.value),
        )


def _of_pod() -> Access:
    """What a pod is given: its ServiceAccount."""
    host, port = os.environ["KUBERNETES_SERVICE_HOST"], os.environ.get("KUBERNETES_SERVICE_PORT") or "443"
    authority = _ACCOUNT / "ca.crt"
    try:
        token = (_ACCOUNT / "token").read_text().strip()
        authority.open().close()
    except OSError as error:
        raise unusable(f"this pod has no ServiceAccount ({error})") from None
    address = f"[{host}]" if ":" in host else host
    return Access(f"https://{address}:{port}", f"Bearer {token}", authority=str(authority))
