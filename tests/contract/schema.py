"""Google's own description of the Sheets API, as strict JSON Schemas for what goes over the wire.

The discovery document comes with google-api-python-client (the `contract` extra). It lists no required names, so
presence is for the tests to state; what it does give is every name, type and enum value that exists.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

from jsonschema import Draft202012Validator

from sheetsync.sandbox.wire import Handler, Request, Response

Json = dict[str, Any]

_KEPT = ("enum", "pattern")
_INT32 = {"minimum": -(2**31), "maximum": 2**31 - 1}
_ERROR: Json = {
    "type": "object",
    "required": ["error"],
    "additionalProperties": False,
    "properties": {
        "error": {
            "type": "object",
            "required": ["code", "message", "status"],
            "additionalProperties": False,
            "properties": {
                "code": {"type": "integer"},
                "message": {"type": "string"},
                "status": {"type": "string"},
                "details": {"type": "array", "items": {"type": "object", "required": ["@type"]}},
            },
        }
    },
}


class ContractBroken(AssertionError):
    """Something on the wire that Google's description does not allow."""


class Method(NamedTuple):
    """One method of the API."""

    id: str
    verb: str
    path: re.Pattern[str]
    parameters: Json
    request: str | None
    response: str


@cache
def discovery() -> Json:
    """The discovery document of sheets v4."""
    spec = find_spec("googleapiclient")
    if spec is None or spec.origin is None:
        raise LookupError("google-api-python-client is not installed: pip install 'sheetsync[contract]'")
    path = Path(spec.origin).parent / "discovery_cache" / "documents" / "sheets.v4.json"
    document: Json = json.loads(path.read_text(encoding="utf-8"))
    return document


@cache
def methods() -> dict[str, Method]:
    """Every method of the API by its id."""
    return {method.id: method for method in _methods(discovery())}


def _methods(resource: Json) -> Iterable[Method]:
    for held in resource.get("methods", {}).values():
        segments = re.split(r"\{\w+\}", held["path"])
        path = re.compile("/" + "([^/]+)".join(re.escape(segment) for segment in segments))
        request = held.get("request", {}).get("$ref")
        yield Method(held["id"], held["httpMethod"], path, held["parameters"], request, held["response"]["$ref"])
    for below in resource.get("resources", {}).values():
        yield from _methods(below)


def method_of(verb: str, path: str) -> Method | None:
    """The method that a request line means. Of several patterns that fit, the longest says most."""
    fitting = [method for method in methods().values() if method.verb == verb and method.path.fullmatch(path)]
    return max(fitting, key=lambda method: len(method.path.pattern), default=None)


def converted(schema: Json, *, nullable: bool) -> Json:
    """A discovery schema as a strict JSON Schema; in requests, null means not set."""
    result = _typed(schema, nullable)
    result.update({key: schema[key] for key in _KEPT if key in schema})
    if not nullable:
        return result
    if "enum" in result:
        result["enum"] = [*result["enum"], None]
    return {"anyOf": [result, {"type": "null"}]} if result else {}


def _typed(schema: Json, nullable: bool) -> Json:
    kind = schema.get("type")
    if "$ref" in schema:
        return {"$ref": "#/$defs/" + schema["$ref"]}
    if kind == "any":
        return {}
    if kind == "array":
        return {"type": "array", "items": converted(schema["items"], nullable=nullable)}
    if kind == "object":
        names = schema.get("properties", {})
        properties = {name: converted(held, nullable=nullable) for name, held in names.items()}
        others = schema.get("additionalProperties")
        rest = converted(others, nullable=nullable) if others else False
        return {"type": "object", "properties": properties, "additionalProperties": rest}
    return {"type": kind, **(_INT32 if schema.get("format") == "int32" else {})}


@cache
def validator(name: str, nullable: bool) -> Draft202012Validator:
    """The validator of a message as request or as response."""
    if name == "error":
        return Draft202012Validator(_ERROR)
    definitions = {key: _typed(schema, nullable) for key, schema in discovery()["schemas"].items()}
    return Draft202012Validator({"$ref": f"#/$defs/{name}", "$defs": definitions})


def _validate(name: str, nullable: bool, body: Any, what: str) -> None:
    for error in validator(name, nullable).iter_errors(body):
        deepest = error
        while deepest.context:
            deepest = max(deepest.context, key=lambda held: len(held.absolute_path))
        raise ContractBroken(f"{what}: {deepest.json_path}: {deepest.message[:300]}")


def validate_request(method_id: str, params: Iterable[tuple[str, str]], body: Any) -> None:
    """Raises ContractBroken for a parameter or a body that the method does not take."""
    method = methods()[method_id]
    known = {**discovery()["parameters"], **method.parameters}
    given: set[str] = set()
    for name, value in params:
        if name not in known or known[name].get("location") == "path":
            raise ContractBroken(f"{method_id}: no parameter {name}")
        if name in given and not known[name].get("repeated"):
            raise ContractBroken(f"{method_id}: parameter {name} is given twice")
        given.add(name)
        _check_parameter(method_id, name, value, known[name])
    if method.request is None:
        if body not in (None, {}):
            raise ContractBroken(f"{method_id} takes no body")
        return
    _validate(method.request, True, body or {}, f"{method_id} request")


def _check_parameter(method_id: str, name: str, value: str, schema: Json) -> None:
    if schema["type"] == "boolean" and value.lower() not in ("true", "false"):
        raise ContractBroken(f"{method_id}: {name}={value} is no boolean")
    if "enum" in schema and value not in schema["enum"]:
        raise ContractBroken(f"{method_id}: {name}={value} is none of {schema['enum']}")


def validate_response(method_id: str, body: Any) -> None:
    """Raises ContractBroken for an answer which the method does not give."""
    _validate(methods()[method_id].response, False, body, f"{method_id} response")


def checked(handler: Handler) -> Handler:
    """The handler, with every Sheets request and answer that passes held against Google's description."""

    def handle(request: Request) -> Response:
        if not request.path.startswith("/v4/"):
            return handler(request)
        method = method_of(request.method, request.path)
        if method is None:
            raise ContractBroken(f"no method for {request.method} {request.path}")
        validate_request(method.id, request.query, json.loads(request.body) if request.body else None)
        response = handler(request)
        if response.headers.get("content-type", "").startswith("application/json"):
            _check_answer(method.id, response)
        return response

    return handle


def _check_answer(method_id: str, response: Response) -> None:
    try:
        body = json.loads(response.body)
    except ValueError:
        return  # a fault of the sandbox: cut short on its way
    if response.status == 200:
        validate_response(method_id, body)
    else:
        _validate("error", False, body, f"{method_id} error")
