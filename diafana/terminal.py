"""What commands share: where they print, how they fail, and the archive that they open."""

from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
from pydantic import ValidationError
from rich.console import Console
from rich.text import Text

from diafana.logs import set_up_logs
from diafana.settings import Settings, SettingsFileError

REINDEX = "`diafana reindex` builds it anew from the files."

errors = Console(stderr=True, highlight=False)
out = Console(highlight=False)


def fail(message: str, code: int, cause: BaseException) -> NoReturn:
    """End the command with a message. Names of files are no markup of the terminal."""
    errors.print(Text(message, style="red"), soft_wrap=True)
    raise typer.Exit(code) from cause


def option(name: str) -> Any:
    """An option of the command line for a setting."""
    field = Settings.model_fields[name]
    text = f"{field.description} [DIAFANA_{name.upper()}]"
    return typer.Option(help=text, show_default=str(field.default))


Data = Annotated[Path | None, option("data")]


def read_settings(**given: Any) -> Settings:
    """Settings from what was given here, the environment and the file. Wrong ones end the command."""
    try:
        return Settings(**{name: value for name, value in given.items() if value is not None})
    except SettingsFileError as error:
        fail(str(error), 2, error)
    except ValidationError as error:
        for problem in error.errors():
            where = ".".join(map(str, problem["loc"])) or "settings"
            errors.print(Text(f"{where}: {problem['msg']}", style="red"), soft_wrap=True)
        raise typer.Exit(2) from error


def open_parts(data: Path | None, is_there: bool = False) -> tuple[Settings, Any]:
    """The settings and parts of an archive. is_there: an archive that is not is no new one, but a mistake."""
    from diafana.wiring import Parts
    from pacs.changes import Bell
    from pacs.errors import StorageFailed
    from pacs.index import migrate, sqlite_url

    settings = read_settings(data=data)
    set_up_logs()
    if is_there and not settings.index_path.is_file():
        raise no_archive(settings)
    try:
        settings.data.mkdir(parents=True, exist_ok=True)
        migrate(sqlite_url(settings.index_path))
        return settings, Parts(settings, Bell(settings.bell))
    except OSError as error:
        fail(f"The data folder {settings.data} cannot be used: {error.strerror}", 1, error)
    except StorageFailed as error:
        fail(f"The index {settings.index_path} cannot be used: {error}. {REINDEX}", 1, error)


def no_archive(settings: Settings) -> typer.Exit:
    """Say that there is none; what is returned ends the command."""
    errors.print(Text(f"There is no archive in {settings.data}.", style="red"), soft_wrap=True)
    return typer.Exit(2)
