"""Says in a preview what a run needs of existing Secrets and ConfigMaps and does not find yet: keys, never values."""

from __future__ import annotations

from ..cluster.connection import Connection
from ..core.log.reader import harmless
from ..core.run import references
from ..core.state import CalendarInputs, RunInputs
from ..errors import ClusterError
from .preview import Preview


def say(preview: Preview, connection: Connection, inputs: RunInputs | CalendarInputs, *, changed: bool = True) -> None:
    """Nothing of it is an error: who keeps them may make them until the run starts.

    What is only to be known of them is said once, and where something has `changed` about the task.
    """
    namespace = inputs.which.namespace
    for one in references.needed(inputs.manifest):
        try:
            keys = preview.keys(connection, namespace, one.kind, one.name)
        except ClusterError as error:
            about = f"keys {namespace} {one}"
            preview.say_once(inputs.urn, f"the keys of {one} could not be asked for: {error}", about=about)
            continue
        for line in one.lines(keys):
            preview.say(inputs.urn, harmless(line))
        for note in one.notes(keys) if changed else ():
            preview.say_once(inputs.urn, harmless(note), about=f"keys {namespace} {one}")
