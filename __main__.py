"""Declares the manifest that the stack's configuration names.

kf:manifest  the file, by default manifest.yml, from this folder
kf:space     the Space, by default named like the stack
kf:registry  the value of ((registry)), by default the environment's SANDBOX_REGISTRY
kf:vars      a map with the values of the manifest's other ((names))
"""

from pathlib import Path

import pulumi

from components import Space, declaration

config = pulumi.Config("kf")
applications = declaration.read(
    Path(__file__).parent / (config.get("manifest") or "manifest.yml"), declaration.variables(config)
)
space = Space(config.get("space") or pulumi.get_stack())
declaration.export(declaration.declare(applications, space))
