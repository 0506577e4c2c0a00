"""The kinds of values that a manifest has: how each is checked, and how an editor may check it.

Everything arrives as text. Whatever is wrong is an InvalidInput that names the field, so that the report can
say it at the right line.
"""

from __future__ import annotations

import math
import re
from typing import Annotated, Any, Callable, Dict, List, Sequence, Union

from pydantic import AfterValidator, BeforeValidator, PlainValidator, ValidationInfo, WithJsonSchema

from .. import definition, naming, quantities
from ..errors import InvalidInput
from ..notify import endpoint
from ..pods import metadata
from ..run import sources
from ..run.environment import check_reserved
from ..schedule import cron, slot
from .nodes import Text as Node
from .nodes import kind, plain

INSERTED = r"\(\([-.\w]+\)\)"  # a variable may stand wherever a number, a switch or an amount does
_SCALAR = {"type": ["string", "number", "boolean"]}
_LIST = {"type": "array", "items": _SCALAR}
_SIZES = r"^\s*[0-9]+(\.[0-9]+)?\s*([KMGTkmgt][Bb]?|[KMGT]i)\s*$|" + INSERTED
_CPUS = r"^\s*([0-9]+(\.[0-9]*)?|\.[0-9]+)m?\s*$|" + INSERTED
_SPANS = r"^\s*(0|([0-9]+h)?([0-9]+m)?([0-9]+s)?)\s*$|" + INSERTED
_AGES = r"^\s*(0|([0-9]+d)?([0-9]+h)?([0-9]+m)?([0-9]+s)?)\s*$|" + INSERTED
_BINDING = re.compile(r"[A-Za-z0-9]([-._A-Za-z0-9]*[A-Za-z0-9])?")


def _text(value: Any, info: ValidationInfo) -> str:
    if not isinstance(value, str):
        raise InvalidInput(f"{info.field_name}: {kind(value)}: write a text here")
    return _without_nul(str(value), info)


def _without_nul(value: str, info: ValidationInfo) -> str:
    if "\0" in value:
        raise InvalidInput(f"{info.field_name}: holds a NUL byte, which no process can be given: leave it out")
    return value


def _filled(value: str, info: ValidationInfo) -> str:
    if not value:
        raise InvalidInput(f"{info.field_name}: is empty: give it a value or leave it out")
    return value


def _texts(value: Any, info: ValidationInfo) -> List[str]:
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise InvalidInput(f"{info.field_name}: {kind(value)}: write a list of texts here, such as ['-v', 'all']")
    return [_without_nul(str(item), info) for item in value]


def _command(value: Any, info: ValidationInfo) -> Union[str, List[str]]:
    return _filled(_text(value, info), info) if isinstance(value, str) else _texts(value, info)


def _truth(value: Any, info: ValidationInfo) -> bool:
    found = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}.get(str(value).lower())
    if found is None:
        raise InvalidInput(f"{info.field_name}: {kind(value)}: write true or false here")
    return found


def _whole(value: Any, info: ValidationInfo) -> int:
    if not isinstance(value, str) or not re.fullmatch(r"[0-9]{1,9}", value, re.ASCII):
        raise InvalidInput(f"{info.field_name}: {kind(value)}: write a whole number from 0 upwards here")
    return int(value)


def mapping(value: Any, info: ValidationInfo) -> Any:
    """Refuses what is no map, in words that name the field."""
    if value is not None and not isinstance(value, dict):
        raise InvalidInput(f"{info.field_name}: {kind(value)}: write keys and values here")
    return value


def entries(value: Any, info: ValidationInfo) -> Any:
    """Refuses what is no list, in words that name the field."""
    if not isinstance(value, list):
        raise InvalidInput(f"{info.field_name}: {kind(value)}: write a list here, each entry after a '-'")
    return value


def _variable_name(name: str) -> str:
    check_reserved("env", naming.check_env_name("env", name))
    return name


def _variable(value: Any) -> str:
    """The text of a variable; one with a secret stays marked as such."""
    if value is None:
        return ""
    if not isinstance(value, str):
        raise InvalidInput(f"{kind(value)}: quote it, a variable is text")
    if "\0" in value:
        raise InvalidInput("holds a NUL byte, which a variable cannot: leave it out")
    return value if isinstance(value, Node) and value.secrets else str(value)


def _address(value: Any, info: ValidationInfo) -> str:
    """An address that is told of tasks; one with a secret stays marked as such."""
    endpoint.check_url(str(info.field_name), _filled(_text(value, info), info))
    return value if isinstance(value, Node) and value.secrets else str(value)


def _certificates(value: Any, info: ValidationInfo) -> str:
    text = _filled(_text(value, info), info)
    return value if isinstance(value, Node) and value.secrets else text


def _one_of(known: Sequence[str]) -> Callable[[str, ValidationInfo], str]:
    def check(value: str, info: ValidationInfo) -> str:
        if value not in known:
            raise InvalidInput(f"{info.field_name}: {value!r} is unknown: use one of {', '.join(known)}")
        return value

    return check


def _events(value: Any, info: ValidationInfo) -> List[str]:
    found = _texts(value, info)
    if not found:
        raise InvalidInput(f"{info.field_name}: is empty: name {' or '.join(endpoint.ON)}, or leave it out")
    return [_one_of(endpoint.ON)(one, info) for one in found]


def _named(check: Callable[[str], str]) -> AfterValidator:
    def checked(name: str) -> str:
        wrong = check(name)
        if wrong:
            raise InvalidInput(wrong)
        return name

    return AfterValidator(checked)


def _label(value: Any) -> str:
    wrong = metadata.wrong_value(_note(value))
    if wrong:
        raise InvalidInput(wrong)
    return _note(value)


def _note(value: Any) -> str:
    if isinstance(value, (dict, list)):
        raise InvalidInput(f"{kind(value)}: write a text here")
    return "" if value is None else str(value)


def _policy(value: str) -> str:
    found = slot.policy(value)
    if found is None:
        known = ", ".join(slot.POLICIES)
        raise InvalidInput(f"concurrency_policy: {value!r} is unknown: use one of {known}")
    return found


def _cron(value: str) -> str:
    cron.parse(value, "schedule")
    return value


def _zone(value: str) -> str:
    cron.zone(value, "time_zone")
    return value


def _age(value: str, info: ValidationInfo) -> str:
    return quantities.age_text(quantities.age(value, str(info.field_name)))


def _key_of(value: str, info: ValidationInfo) -> str:
    name, slash, key = value.partition("/")
    if not slash:
        raise InvalidInput(f"{info.field_name}: {value!r} names no key: write NAME/KEY, such as 'shop/token'")
    kind_of = sources.CONFIG_MAP if info.field_name == "config_env" else sources.SECRET
    sources.check_object(str(info.field_name), kind_of, name)
    sources.check_key(str(info.field_name), kind_of, key)
    return value


def _binding(value: str) -> str:
    if not _BINDING.fullmatch(value):
        raise InvalidInput(
            f"binding_name: {value!r} cannot name a binding: use letters, digits, '-', '_' and '.', "
            "beginning and ending with a letter or digit"
        )
    return value


def _parameters(value: Any, info: ValidationInfo) -> Dict[str, Any]:
    found: Dict[str, Any] = plain(mapping(value, info), typed=True)
    strange = _not_in_json(found)
    if strange is not None:
        raise InvalidInput(f"parameters: hold {strange}, which JSON does not have: quote it")
    return found


def _not_in_json(value: Any) -> Any:
    if isinstance(value, (dict, list)):
        items = value.values() if isinstance(value, dict) else value
        return next((found for found in map(_not_in_json, items) if found is not None), None)
    return value if isinstance(value, float) and not math.isfinite(value) else None


def _schema(**schema: Any) -> WithJsonSchema:
    return WithJsonSchema(schema)


Text = Annotated[str, BeforeValidator(_text), AfterValidator(_filled), _schema(**_SCALAR)]
Texts = Annotated[List[str], PlainValidator(_texts), _schema(**_LIST)]
Command = Annotated[
    Union[str, List[str]],
    PlainValidator(_command),
    _schema(type=["string", "number", "boolean", "array"], items=_SCALAR),
]
Flag = Annotated[
    bool, BeforeValidator(_truth), _schema(anyOf=[{"type": "boolean"}, {"type": "string", "pattern": INSERTED}])
]
Count = Annotated[
    int,
    BeforeValidator(_whole),
    _schema(anyOf=[{"type": "integer", "minimum": 0}, {"type": "string", "pattern": f"^[0-9]{{1,9}}$|{INSERTED}"}]),
]
Size = Annotated[
    Text,
    AfterValidator(lambda value, info: quantities.size(value, info.field_name)),
    _schema(type="string", pattern=_SIZES, examples=["512M", "1G"]),
]
Disk = Annotated[
    Text,
    AfterValidator(lambda value, info: quantities.disk(value, info.field_name)),
    _schema(type="string", pattern=_SIZES, examples=["512M", "1G"]),
]
Cpu = Annotated[
    Text,
    AfterValidator(lambda value, info: quantities.cpu(value, info.field_name)),
    _schema(type=["string", "number"], pattern=_CPUS, examples=["100m", 0.5]),
]
Span = Annotated[
    Text,
    AfterValidator(lambda value, info: quantities.duration(value, info.field_name)),
    _schema(type=["string", "integer"], pattern=_SPANS, examples=["30m", "1h30m", "0"]),
]
Age = Annotated[
    Text,
    AfterValidator(lambda value, info: "0" if value in ("0", "0s") else _age(value, info)),
    _schema(type=["string", "integer"], pattern=_AGES, examples=["30d", "12h", "0"]),
]
When = Annotated[Text, AfterValidator(_one_of(definition.WHEN)), _schema(enum=list(definition.WHEN))]
AppName = Annotated[
    str,
    BeforeValidator(_text),
    AfterValidator(lambda value: naming.check_name("app", value.replace("_", "-"))),
    _schema(**_SCALAR),
]
TaskName = Annotated[
    str, BeforeValidator(_text), AfterValidator(lambda value: naming.check_name("task", value)), _schema(**_SCALAR)
]
JobName = Annotated[
    str, BeforeValidator(_text), AfterValidator(lambda value: naming.check_name("job", value)), _schema(**_SCALAR)
]
Cron = Annotated[
    Text, AfterValidator(_cron), _schema(type="string", examples=["0 3 * * *", "@daily"], pattern=r"^@|( .*){4}|\(\(")
]
Zone = Annotated[Text, AfterValidator(_zone), _schema(type="string", examples=["Europe/Berlin", "Etc/UTC"])]
Policy = Annotated[Text, AfterValidator(_policy), _schema(enum=[*slot.POLICIES, "Always"])]
BindingName = Annotated[Text, AfterValidator(_binding), _schema(**_SCALAR)]
Env = Annotated[
    Dict[Annotated[str, AfterValidator(_variable_name)], Annotated[str, PlainValidator(_variable)]],
    BeforeValidator(mapping),
    _schema(
        type="object",
        additionalProperties={"type": ["string", "number", "boolean", "null"]},
        propertyNames={"not": {"pattern": "^([Vv][Cc][Aa][Pp]_|[Vv][Mm][Cc]|[Kk][Ff]_|$)"}},
    ),
]
KeysOf = Annotated[
    Dict[
        Annotated[str, AfterValidator(_variable_name)], Annotated[str, BeforeValidator(_text), AfterValidator(_key_of)]
    ],
    BeforeValidator(mapping),
    _schema(type="object", additionalProperties={"type": "string", "examples": ["shop/token"]}),
]
Address = Annotated[
    str, PlainValidator(_address), _schema(type="string", examples=["https://hooks.example.com/services/T0/B0"])
]
Certificates = Annotated[str, PlainValidator(_certificates), _schema(type="string")]
Events = Annotated[
    List[str], PlainValidator(_events), _schema(type="array", items={"enum": list(endpoint.ON)}, minItems=1)
]
Format = Annotated[Text, AfterValidator(_one_of(endpoint.FORMATS)), _schema(enum=list(endpoint.FORMATS))]
_NotesSchema = _schema(type="object", additionalProperties={"type": ["string", "number", "boolean", "null"]})
Labels = Annotated[
    Dict[Annotated[str, _named(metadata.wrong_label)], Annotated[str, PlainValidator(_label)]],
    BeforeValidator(mapping), _NotesSchema,
]  # fmt: skip
Annotations = Annotated[
    Dict[Annotated[str, _named(metadata.wrong_name)], Annotated[str, PlainValidator(_note)]],
    BeforeValidator(mapping), _NotesSchema,
]  # fmt: skip
Parameters = Annotated[Dict[str, Any], PlainValidator(_parameters), _schema(type="object")]
Data = Annotated[Any, PlainValidator(lambda value: plain(value, typed=False)), _schema()]
