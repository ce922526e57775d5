"""The OpenAPI description of the server: what it answers, and nothing that it does not."""

from collections import defaultdict

from otpspec_reference.answers import HTTP_CODES, Status
from otpspec_reference.operations import SAID_WITH, TEXT, Described, Fields, Schema, operations
from otpspec_reference.settings import Settings

TOO_LARGE = 413  # a body over 64 KiB, which is not read


def describe(settings: Settings, version: str) -> Schema:
    """The whole description (OpenAPI 3.1) of a server with these settings."""
    paths: dict[str, Schema] = defaultdict(dict)
    for operation in operations(settings):
        paths[operation.path][operation.method] = _operation(operation)
    paths["/openapi.json"]["get"] = {
        "summary": "This description.",
        "responses": {"200": {"description": "OpenAPI 3.1"}},
    }
    schemes: Schema = {"support": {"type": "http", "scheme": "bearer"}}
    if settings.test_hooks:
        schemes["test"] = {"type": "apiKey", "in": "header", "name": "X-Test-Token"}
    return {
        "openapi": "3.1.0",
        "info": {"title": "otpspec reference server", "version": version},
        "paths": paths,
        "components": {"securitySchemes": schemes},
    }


def _operation(operation: Described) -> Schema:
    parameters: list[Schema] = [
        {"name": name, "in": "query", "schema": schema} for name, schema in operation.query.items()
    ]
    if "{id}" in operation.path:
        parameters.append({"name": "id", "in": "path", "required": True, "schema": TEXT})
    described: Schema = {
        "summary": operation.summary,
        "parameters": parameters,
        "responses": _responses(operation),
    }
    if operation.required or operation.optional:
        body = _content(_object(operation.required, operation.optional))
        described["requestBody"] = {"required": True, **body}
    if operation.scheme:
        described["security"] = [{operation.scheme: []}]
    return described


def _responses(operation: Described) -> Schema:
    by_code: dict[int, list[Status]] = defaultdict(list)
    for status in operation.answers:
        by_code[HTTP_CODES[status]].append(status)
    if Status.MALFORMED in operation.answers and operation.method != "get":
        by_code[TOO_LARGE].append(Status.MALFORMED)
    return {
        str(code): {
            "description": ", ".join(statuses),
            "headers": {"Cache-Control": {"schema": {"const": "no-store"}}},
            **_content({"oneOf": [_answer(status, operation) for status in statuses]}),
        }
        for code, statuses in sorted(by_code.items())
    }


def _answer(status: Status, operation: Described) -> Schema:
    fields = operation.ok if status is Status.OK else SAID_WITH.get(status, {})
    return _object({"status": {"const": status.value}, **fields}, {})


def _content(schema: Schema) -> Schema:
    return {"content": {"application/json": {"schema": schema}}}


def _object(required: Fields, optional: Fields) -> Schema:
    return {
        "type": "object",
        "required": list(required),
        "properties": {**required, **optional},
    }
