"""Google's own description of the Sheets API, held against every request that comes in and every answer that goes out.

The discovery document comes with google-api-python-client (the `contract` extra); the sandbox is as good without it,
only less strict. It says every name, type, enum value and field mask there is. It lists no required names, and of
numbers written as texts (`"5"`), which Google takes, the sandbox takes none.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

from sheetsync.sandbox.google.errors import (
    ApiError,
    bad_mask,
    bad_request,
    bad_value,
    invalid,
    no_list_here,
    oneof_taken,
    snake,
    unknown_field,
)
from sheetsync.sandbox.google.fields import BadMask, Mask, compile_mask
from sheetsync.sandbox.wire import Request, Response

Json = dict[str, Any]

_PREFIX = "type.googleapis.com/google.apps.sheets.v4."
_SCALARS: Mapping[str, tuple[type | tuple[type, ...], str]] = {
    "string": (str, "TYPE_STRING"),
    "boolean": (bool, "TYPE_BOOL"),
    "integer": (int, "TYPE_INT32"),
    "number": ((int, float), "TYPE_DOUBLE"),
}
_INT32 = range(-(2**31), 2**31)
_CHARTS = "basic pie bubble candlestick org histogram waterfall treemap scorecard"

# What of a message can be set only one at a time: said in its description alone, not in its schema.
_ONE_OF: Mapping[str, tuple[str, str]] = {
    "ExtendedValue": ("value", "numberValue stringValue boolValue formulaValue errorValue"),
    "UpdateCellsRequest": ("area", "start range"),
    "FindReplaceRequest": ("scope", "range sheetId allSheets"),
    "ConditionalFormatRule": ("rule", "booleanRule gradientRule"),
    "UpdateConditionalFormatRuleRequest": ("instruction", "rule newIndex"),
    "ConditionValue": ("value", "relativeDate userEnteredValue"),
    "ColorStyle": ("kind", "rgbColor themeColor"),
    "EmbeddedObjectPosition": ("location", "sheetId overlayPosition newSheet"),
    "ChartSpec": ("chart", " ".join(f"{kind}Chart" for kind in _CHARTS.split())),
    "ChartData": ("type", "sourceRange columnReference"),
    "DeveloperMetadataLocation": ("location", "sheetId spreadsheet dimensionRange"),
    "DataFilter": ("filter", "a1Range gridRange developerMetadataLookup"),
}


class SchemaBroken(AssertionError):
    """An answer of the sandbox that Google's description does not allow."""


class Method(NamedTuple):
    """One method of the API."""

    id: str
    verb: str
    path: re.Pattern[str]
    parameters: Json
    request: str
    response: str


@cache
def google_schema() -> Schema:
    """The schema of this process. Raises LookupError where the discovery document is not installed."""
    spec = find_spec("googleapiclient")
    if spec is None or spec.origin is None:
        raise LookupError("google-api-python-client is not installed: pip install 'sheetsync[contract]'")
    path = Path(spec.origin).parent / "discovery_cache" / "documents" / "sheets.v4.json"
    return Schema(json.loads(path.read_text(encoding="utf-8")))


class Schema:
    """The discovery document, and what was found against it: `refused` requests and `broken` answers, in words."""

    def __init__(self, document: Json) -> None:
        self.messages: Json = document["schemas"]
        self.methods = tuple(_methods(document))
        self.refused: list[str] = []
        self.broken: list[str] = []
        self._parameters: Json = document["parameters"]

    def method_of(self, verb: str, path: str) -> Method | None:
        """The method that a request line means. Of several patterns that fit, the longest says most."""
        fitting = [method for method in self.methods if method.verb == verb and method.path.fullmatch(path)]
        return max(fitting, key=lambda method: len(method.path.pattern), default=None)

    def check_request(self, request: Request, body: Json) -> None:
        """Raises ApiError, in Google's words, for a parameter or a body that the method does not take."""
        method = self.method_of(request.method, request.path)
        if method is None:
            return
        try:
            self._check_query(method, request.query)
            if method.request:
                # a message that is the whole body is bound to no field, a ValueRange to `data`
                self._message(method.request, body, "data" if method.request == "ValueRange" else "", True)
            elif body:
                raise invalid(f"{method.id} takes no body.")
        except ApiError as error:
            self.refused.append(f"{method.id}: {error.message}")
            raise

    def check_answer(self, request: Request, response: Response) -> None:
        """Raises SchemaBroken for an answer that the method does not give."""
        method = self.method_of(request.method, request.path)
        if method is None:
            return
        try:
            body = response.json()
            if response.status == 200:
                self._message(method.response, body, "", False)
            else:
                _check_error(body, response.status)
        except (ApiError, ValueError) as error:
            self.broken.append(f"{method.id}: {error}")
            raise SchemaBroken(self.broken[-1]) from error

    def _check_query(self, method: Method, query: Iterable[tuple[str, str]]) -> None:
        known = {**self._parameters, **method.parameters}
        given: set[str] = set()
        for name, value in query:
            if name not in known or known[name].get("location") == "path":
                raise unknown_field(name, "")
            if name in given and not known[name].get("repeated"):
                raise invalid(f"Parameter {name} is given twice.")
            given.add(name)
            if known[name]["type"] == "boolean" and value.lower() not in ("true", "false"):
                raise bad_value(snake(name), "TYPE_BOOL", value)
            if "enum" in known[name] and value not in known[name]["enum"]:
                raise bad_value(snake(name), _enum_name("", name), value)
            if name == "fields":
                self._check_answer_mask(method.response, value)

    def _check_answer_mask(self, message: str, text: str) -> None:
        try:
            self._check_mask({"$ref": message}, compile_mask(text), "")
        except BadMask as error:
            raise bad_mask(str(error)) from None

    def _check_mask(self, spec: Json, mask: Mask, path: str) -> None:
        if mask is None:
            return
        while spec.get("type") == "array":
            spec = spec["items"]
        names = self.messages[spec["$ref"]].get("properties", {}) if "$ref" in spec else {}
        if "additionalProperties" in spec:
            names = dict.fromkeys(mask, spec["additionalProperties"])
        for name, under in mask.items():
            if name not in names:
                raise BadMask(path + name)
            self._check_mask(names[name], under, f"{path}{name}.")

    def _value(self, spec: Json, value: Any, at: str, lenient: bool, owner: str) -> None:
        """One value against the schema of its field; in requests (`lenient`), null means not set."""
        kind = spec.get("type")
        if (value is None and lenient) or kind == "any":
            return
        if "$ref" in spec:
            self._message(spec["$ref"], value, at, lenient)
        elif kind == "array":
            if not isinstance(value, list):
                raise bad_value(at, _type_name(spec["items"]), value)
            for index, item in enumerate(value):
                if item is None and "$ref" in spec["items"]:
                    raise bad_value(f"{at}[{index}]", _type_name(spec["items"]), item)
                self._value(spec["items"], item, f"{at}[{index}]", lenient, owner)
        elif kind == "object":
            self._map(spec, value, at, lenient, owner)
        else:
            _scalar(spec, value, at, owner)

    def _map(self, spec: Json, value: Any, at: str, lenient: bool, owner: str) -> None:
        if not isinstance(value, dict):
            raise bad_value(at, "Map", value)
        for key, held in value.items():
            self._value(spec["additionalProperties"], held, f"{at}[{key}]", lenient, owner)

    def _message(self, name: str, value: Any, at: str, lenient: bool) -> None:
        if isinstance(value, list):
            raise no_list_here(at)
        if not isinstance(value, dict):
            raise bad_value(at, _PREFIX + name, value)
        properties = self.messages[name].get("properties", {})
        for field, held in value.items():
            if field not in properties:
                raise unknown_field(field, at)
            self._value(properties[field], held, f"{at}.{snake(field)}" if at else snake(field), lenient, name)
        if not lenient:
            return
        scope, names = _ONE_OF.get(name, ("", ""))
        given = [field for field in value if value[field] is not None and field in names.split()]
        if len(given) > 1:
            raise oneof_taken(at, scope, given[1])
        if properties.get("fields", {}).get("format") == "google-fieldmask" and value.get("fields"):
            self._check_request_mask(name, value["fields"], at)

    def _check_request_mask(self, message: str, text: str, at: str) -> None:
        """The mask of an update request, whose root is the object that it carries."""
        index, _, kind = at.rpartition(".")
        try:
            self._check_mask(self._root(message), compile_mask(text), "")
        except BadMask as error:
            raise invalid(f"Invalid {index}.{_camel(kind)}: Invalid field: {error}") from None

    def _root(self, message: str) -> Json:
        """The message that a field mask is about: its description names the field that holds it."""
        properties = self.messages[message]["properties"]
        if "rows" in properties:
            return {"$ref": "CellData"}
        found = re.search(r"[Tt]he root [`'](\w+)", properties["fields"]["description"])
        field: Json = properties[found[1]] if found and found[1] in properties else {}
        return field


def _methods(resource: Json) -> Iterable[Method]:
    for held in resource.get("methods", {}).values():
        segments = re.split(r"\{\w+\}", held["path"])
        path = re.compile("/" + "([^/]+)".join(re.escape(segment) for segment in segments))
        request = held.get("request", {}).get("$ref", "")
        yield Method(held["id"], held["httpMethod"], path, held["parameters"], request, held["response"]["$ref"])
    for below in resource.get("resources", {}).values():
        yield from _methods(below)


def _scalar(spec: Json, value: Any, at: str, owner: str) -> None:
    kinds, name = _SCALARS[spec["type"]]
    if isinstance(value, dict | list):
        raise bad_request(f"Invalid value at '{at}' ({name}), Starting an object on a scalar field", at, name)
    fits = isinstance(value, kinds) and (isinstance(value, bool) == (kinds is bool))
    if not fits or (kinds is int and value not in _INT32):
        raise bad_value(at, name, value)
    if "enum" in spec and value not in spec["enum"]:
        raise bad_value(at, _enum_name(owner, at.rpartition(".")[2]), value)


def _type_name(spec: Json) -> str:
    if spec.get("type") == "array":
        return "type.googleapis.com/google.protobuf.ListValue"
    return _PREFIX + spec["$ref"] if "$ref" in spec else _SCALARS.get(spec.get("type", ""), ("", "Value"))[1]


def _enum_name(owner: str, field: str) -> str:
    """The name of an enum, which the document does not tell: after its message and field."""
    name = "".join(part.title() for part in re.sub(r"\[.*", "", snake(field)).split("_"))
    return f"{_PREFIX}{owner}.{name}" if owner else _PREFIX + name


def _camel(text: str) -> str:
    return re.sub("_([a-z])", lambda found: found[1].upper(), text)


def _check_error(body: Any, status: int) -> None:
    """The envelope of an error. Raises ValueError."""
    error = body.get("error") if isinstance(body, dict) and len(body) == 1 else None
    if not isinstance(error, dict) or not {"code", "message", "status"} <= error.keys() <= {*_ENVELOPE}:
        raise ValueError(f"no error envelope: {str(body)[:200]}")
    if any(not isinstance(error[name], kind) for name, kind in _ENVELOPE.items() if name in error):
        raise ValueError(f"the error envelope has another shape: {str(body)[:200]}")
    if error["code"] != status or any("@type" not in detail for detail in error.get("details", ())):
        raise ValueError(f"an error of another kind than {status}: {str(body)[:200]}")


_ENVELOPE: Mapping[str, type] = {"code": int, "message": str, "status": str, "details": list}
