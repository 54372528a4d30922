"""The services in the words of OpenAPI 3.1, for who writes clients and for who tries to break the service."""

from collections.abc import Iterable
from http import HTTPStatus
from typing import Any

from dicomweb.problems import MEDIA_TYPE
from dicomweb.transaction import Parameter, Transaction

# What each placeholder of a path stands for, with an example
_PLACEHOLDERS = {
    "study": ("Study Instance UID", "1.2.826.0.1.3680043.8.498.1", "^[0-9.]{1,64}$"),
    "series": ("Series Instance UID", "1.2.826.0.1.3680043.8.498.1.2", "^[0-9.]{1,64}$"),
    "instance": ("SOP Instance UID", "1.2.826.0.1.3680043.8.498.1.2.3", "^[0-9.]{1,64}$"),
    "frames": ("Frame numbers, from 1 on, in any order", "1,2,3", "^[0-9]{1,9}(,[0-9]{1,9})*$"),
    "transaction": ("Transaction UID", "1.2.826.0.1.3680043.8.498.7", "^[0-9.]{1,64}$"),
    "workitem": ("SOP Instance UID of a work item", "1.2.826.0.1.3680043.8.498.9", "^[0-9.]{1,64}$"),
    "aetitle": ("AE title of a subscriber", "VIEWER", "^[ -\\[\\]-~]{1,16}$"),
    "uid": ("SOP Instance UID", "1.2.826.0.1.3680043.8.498.5", "^[0-9.]{1,64}$"),
    "path": ("As the BulkDataURI in the metadata has it", "7FE00010", "^.+$"),
    "step": ("Scheduled Procedure Step ID", "SPS1", "^[^/\\\\]{1,16}$"),
    "mpps": ("UID of a performed procedure step", "2.999.15.1", "^[0-9.]{1,64}$"),
}


def paths(transactions: Iterable[Transaction], root: str) -> dict[str, Any]:
    """The `paths` of an OpenAPI document.  root: path of the services."""
    described: dict[str, Any] = {}
    for transaction in transactions:
        operation = _operation(transaction)
        described.setdefault(root + transaction.template, {})[transaction.method.lower()] = operation
    return described


def _operation(transaction: Transaction) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": "".join(word.capitalize() for word in transaction.name.split()),
        "summary": transaction.name,
        "description": f"PS3.18 {transaction.section}",
        "tags": ["DICOMweb"],
        "parameters": [
            *(_placeholder(name) for name in transaction.placeholders),
            *(_parameter(parameter) for parameter in transaction.parameters),
        ],
        "responses": {
            **{str(int(status)): _done(transaction, status) for status in transaction.done},
            "4XX": {"description": "It cannot be done as it is asked", "content": _problems(transaction)},
        },
    }
    if transaction.takes:
        content = {
            _bare(name): {"schema": {"type": "string", "format": "binary"}} for name in transaction.takes
        }
        operation["requestBody"] = {"required": True, "content": content}
    return operation


def _done(transaction: Transaction, status: int) -> dict[str, Any]:
    told: dict[str, Any] = {"description": HTTPStatus(status).phrase}
    has_content = transaction.answers and status not in (HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED)
    return told | ({"content": {_bare(name): {} for name in transaction.answers}} if has_content else {})


def _problems(transaction: Transaction) -> dict[str, Any]:
    """What answers tell of failures in: a store request of each object's in its own form."""
    forms = (MEDIA_TYPE, *(transaction.answers if transaction.takes else ()))
    return {_bare(form): {} for form in forms}


def _bare(media_type: str) -> str:
    return media_type.partition(";")[0]


def _placeholder(name: str) -> dict[str, Any]:
    meaning, example, pattern = _PLACEHOLDERS[name]
    schema = {"type": "string", "pattern": pattern}
    return {
        "name": name,
        "in": "path",
        "required": True,
        "description": meaning,
        "schema": schema,
        "example": example,
    }


def _parameter(parameter: Parameter) -> dict[str, Any]:
    schema = {"type": "string"} | ({"pattern": parameter.pattern} if parameter.pattern else {})
    return {
        "name": parameter.name,
        "in": "query",
        "required": parameter.required,
        "description": parameter.meaning,
        "schema": schema,
        "example": parameter.example,
    }
