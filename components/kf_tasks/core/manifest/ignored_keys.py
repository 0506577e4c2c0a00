"""Keys that Cloud Foundry and Kf know and that have no effect on tasks: a warning of another kind than a slip."""

from __future__ import annotations

from typing import Dict

_ROUTES = "an App has no route"
_STARTED = "nothing but tasks is started"
_HEALTH = "a task is watched by its exit code"
_SOURCE = "a ready image is used: build it before, and name it with image or docker.image"
_BUILT = "the image is built from path, by its Dockerfile or by the buildpacks of a builder"
SHARED = "write it under each application, or share it with an anchor and '<<'"

SOURCES = ("path", "buildpack", "buildpacks", "stack", "lifecycle", "cnb-credentials", "dockerfile", "build",
           "run-image", "run_image")  # fmt: skip

APPLICATION: Dict[str, str] = {
    "routes": _ROUTES,
    "no-route": _ROUTES,
    "random-route": _ROUTES,
    "default-route": _ROUTES,
    "ports": _ROUTES,
    "domain": _ROUTES,
    "domains": _ROUTES,
    "host": _ROUTES,
    "hosts": _ROUTES,
    "no-hostname": _ROUTES,
    "instances": _STARTED,
    "no-start": _STARTED,
    "sidecars": _STARTED,
    "timeout": "it is about the start of an app: a task has a timeout of its own, under tasks",
    "health-check-type": _HEALTH,
    "health-check-http-endpoint": _HEALTH,
    "health-check-interval": _HEALTH,
    "health-check-invocation-timeout": _HEALTH,
    "readiness-health-check-type": _HEALTH,
    "readiness-health-check-http-endpoint": _HEALTH,
    "readiness-health-check-interval": _HEALTH,
    "readiness-health-check-invocation-timeout": _HEALTH,
    "startupProbe": _HEALTH,
    "livenessProbe": _HEALTH,
    "readinessProbe": _HEALTH,
    **dict.fromkeys(SOURCES, _SOURCE),
    "builder": _SOURCE,
    "log-rate-limit-per-second": "the log of a task is never cut off",
    "features": "no feature of Cloud Foundry's apps can be switched here",
}
_BUILDING = ("path", "dockerfile", "builder", "buildpacks", "run-image", "run_image")
BUILT = {key: _BUILT if why == _SOURCE else why for key, why in APPLICATION.items() if key not in _BUILDING}
PROCESS = {
    key: APPLICATION[key]
    for key in APPLICATION
    if key == "instances" or key == "timeout" or key.startswith(("health", "readiness", "log-rate"))
}
DOCKER = {"username": "images are pulled with the credentials of the cluster: add a pull secret there"}
_KEPT = ("keep", "keep_failed", "max_age", "pinned", "min_history")
_APPLICATIONS = ("image", "docker", "services", "entrypoint", *_KEPT, "metadata", "processes")
TASK = {
    **{key: APPLICATION[key] for key in APPLICATION if key != "timeout"},
    **dict.fromkeys(_APPLICATIONS, "it is the application's"),
    "disk_in_mb": "write disk_quota with a unit",
    "memory_in_mb": "write memory with a unit",
}
_TIMES = "a job runs when its schedule says so, or with kf run-job"
JOB = {**TASK, "triggers": _TIMES, "when": _TIMES}
