"""The JSON of `kf review --json` as a JSON Schema, for whoever reads it in a program.

`review.schema.json` beside this module is what it says; `python -m kf_tasks.core.review.schema` prints it.
"""

from __future__ import annotations

import inspect
import json
import sys
from typing import Any, Dict

from pydantic import TypeAdapter

from . import model

_ID = "https://json-schema.org/draft/2020-12/schema"


def schema() -> Dict[str, Any]:
    """A list of reviews, one for each stack; every name is always there."""
    made = TypeAdapter(model.Review).json_schema(mode="serialization")
    kinds = {**made.pop("$defs"), "Review": made}
    for name, kind in kinds.items():
        kind["required"] = list(kind["properties"])
        kind["additionalProperties"] = False
        kind["description"] = inspect.getdoc(getattr(model, name))
        for described in kind["properties"].values():
            described.pop("title", None)
            described.pop("default", None)
    made["properties"] = {"version": {"const": model.VERSION}, **made["properties"]}
    made["required"] = list(made["properties"])
    return {
        "$schema": _ID,
        "title": "What kf review says of stacks",
        "type": "array",
        "items": {"$ref": "#/$defs/Review"},
        "$defs": {name: kinds[name] for name in sorted(kinds)},
    }


def text() -> str:
    """The content of review.schema.json."""
    return json.dumps(schema(), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    sys.stdout.write(text())
