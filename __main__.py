"""Declares the manifest that the stack's configuration names.

kf:manifest    the file, by default manifest.yml, from this folder
kf:space       the Space, by default named like the stack
kf:registry    the value of ((registry)), and where images are built to; by default SANDBOX_REGISTRY
kf:builder-image, kf:registry-secret, kf:image-name  for an application with a path: an image with buildah, a Secret,
               and the name of its repository
kf:vars        a map with the values of the manifest's other ((names)); secret ones may be used in env and notify
kf:vars-files  a file of such values, or a list of files
kf:submitter-image  an image with Python that starts jobs, by default python:3-slim
kf:log-archive  where logs are stored before their runs go, such as s3://bucket/logs; by default nowhere
kf:services    the services of the manifest: a map from their name to credentials, label, tags and plan
kf:notify      who is told how tasks end: a list as that of an application, such as [{webhook: ADDRESS}]
"""

from pathlib import Path

import pulumi
from kf_tasks import Space
from kf_tasks.manifest import configuration, declaration

folder = Path(__file__).parent
config = pulumi.Config("kf")
services = configuration.services(config)
manifest = folder / (config.get("manifest") or "manifest.yml")
applications = declaration.read(manifest, configuration.variables(config, folder), services)
space = Space(
    config.get("space") or pulumi.get_stack(),
    submitter_image=configuration.submitter_image(config),
    log_archive=config.get("log-archive"),
    notify=configuration.notify(config),
    **configuration.building(config),
)
provided = declaration.provide(services, space)
private = configuration.files(config, folder)
declaration.export(declaration.declare(applications, space, provided, manifest.parent, private))
