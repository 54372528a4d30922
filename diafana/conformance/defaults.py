"""What settings are where nothing is said."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from diafana.permissions import told
from diafana.settings import MOST_WORKERS, Settings

DEFAULTS: Mapping[str, Any] = {name: field.default for name, field in Settings.model_fields.items()}

# Whose default depends on the machine
_OF_THE_MACHINE = {"workers": f"as many as it has processors, {MOST_WORKERS} at most"}


def of_setting(name: str) -> str:
    """The default of a setting, as it is written."""
    return _OF_THE_MACHINE.get(name) or written(DEFAULTS[name])


def written(value: object) -> str:
    """A value as it is written; empty for none."""
    match value:
        case bool():
            return str(value).lower()
        case frozenset():
            return told(value)
        case str() | int() | float() | Path():
            return str(value)
    return ""
