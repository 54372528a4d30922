"""What the commands share: settings, an archive that is opened, progress, and messages."""

import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Annotated, Any, NoReturn, Protocol, TypeVar

import typer
from pydantic import ValidationError
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.text import Text

from diafana.logs import set_up_logs
from diafana.settings import Settings, SettingsFileError, unknown_variables

REINDEX = "`diafana reindex` builds it anew from the files."

errors = Console(stderr=True, highlight=False)
out = Console(highlight=False)


def fail(message: str, code: int, cause: BaseException) -> NoReturn:
    """End the command with a message. Names of files are no markup of the terminal."""
    errors.print(Text(message, style="red"), soft_wrap=True)
    raise typer.Exit(code) from cause


def option(name: str) -> Any:
    """The option of a command that gives a setting."""
    field = Settings.model_fields[name]
    text = f"{field.description} [DIAFANA_{name.upper()}]"
    return typer.Option(help=text, show_default=str(field.default))


Data = Annotated[Path | None, option("data")]


class HowFar(Protocol):
    """How many of all are done."""

    @property
    def here(self) -> int:
        """So many."""
        ...

    @property
    def all(self) -> int:
        """Of so many."""
        ...


Step = TypeVar("Step", bound=HowFar)


def settings_of(**given: Any) -> Settings:
    """Settings from what was given here, the environment and the file. Wrong ones end the command."""
    try:
        settings = Settings(**{name: value for name, value in given.items() if value is not None})
    except SettingsFileError as error:
        fail(str(error), 2, error)
    except ValidationError as error:
        for problem in error.errors():
            where = ".".join(map(str, problem["loc"])) or "settings"
            is_unknown = problem["type"] == "extra_forbidden"
            what = "there is no such setting" if is_unknown else problem["msg"].removeprefix("Value error, ")
            errors.print(Text(f"{where}: {what}", style="red"), soft_wrap=True)
        raise typer.Exit(2) from error
    for name in unknown_variables():
        errors.print(Text(f"{name} is no setting, and has no effect", style="yellow"), soft_wrap=True)
    return settings


def open_parts(data: Path | None, is_there: bool = False) -> tuple[Settings, Any]:
    """The settings and parts of an archive. is_there: an archive that is not is no new one, but a mistake."""
    from diafana.wiring import Parts
    from pacs.changes import Bell
    from pacs.errors import StorageFailed
    from pacs.index import migrate, sqlite_url

    settings = settings_of(data=data)
    set_up_logs()
    if is_there and not settings.index_path.is_file():
        raise _no_archive(settings)
    try:
        settings.data.mkdir(parents=True, exist_ok=True)
        migrate(sqlite_url(settings.index_path))
        return settings, Parts(settings, Bell(settings.bell))
    except OSError as error:
        fail(f"The data folder {settings.data} cannot be used: {error.strerror}", 1, error)
    except StorageFailed as error:
        fail(f"The index {settings.index_path} cannot be used: {error}. {REINDEX}", 1, error)


def _no_archive(settings: Settings) -> typer.Exit:
    errors.print(Text(f"There is no archive in {settings.data}.", style="red"), soft_wrap=True)
    return typer.Exit(2)


def _progress() -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    return Progress(*columns, console=errors, disable=not sys.stderr.isatty())


def with_progress(text: str, total: int | None, work: Callable[[Callable[[], None]], Any]) -> Any:
    """Show how far some work is, which calls what it is given after each step; what it returns."""
    with _progress() as progress:
        task = progress.add_task(text, total=total)
        return work(lambda: progress.advance(task))


def with_bar(text: str, steps: Iterable[Step]) -> Step:
    """Show how far something is; what it tells last.  steps: at least one."""
    last = None
    with _progress() as progress:
        task = progress.add_task(text, total=None)
        for last in steps:
            progress.update(task, completed=last.here, total=last.all)
    assert last is not None  # noqa: S101 - there is at least one
    return last


def no_peer(aet: str) -> typer.Exit:
    """Say that a system is not known; what ends the command."""
    message = f"There is no system {aet} known; `diafana peer add {aet} HOST PORT` makes it known."
    errors.print(Text(message, style="red"), soft_wrap=True)
    return typer.Exit(1)
