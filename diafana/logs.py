"""Structured logs on standard error: one line an event, no patient data."""

import logging
import sys
import traceback
from collections.abc import Iterator

import structlog


def set_up_logs() -> None:
    """Lines for people on a terminal, JSON lines anywhere else. Libraries are heard from warnings on."""
    shared: list[structlog.typing.Processor] = [
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.ExceptionRenderer(_where_it_failed),
    ]
    is_terminal = sys.stderr.isatty()
    renderer = structlog.dev.ConsoleRenderer() if is_terminal else structlog.processors.JSONRenderer()
    structlog.configure(
        processors=[*shared, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.WriteLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(processor=renderer, foreign_pre_chain=shared))
    # What these warn of quotes the values of elements, and those are the patients'
    for library in ("pydicom", "pynetdicom"):
        logging.getLogger(library).setLevel(logging.ERROR)
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)


def _where_it_failed(exc_info: structlog.typing.ExcInfo) -> str:
    """The way to what was raised, and its kind. Of its words only those of the system are told: those of
    others quote the values that they fail on, and those are the patients'.
    """
    told = []
    for error in reversed([*_with_causes(exc_info[1])]):
        kind = f"{type(error).__module__}.{type(error).__qualname__}"
        words = f": {error.strerror}" if isinstance(error, OSError) and error.strerror else ""
        told.append("".join(traceback.format_tb(error.__traceback__)) + kind + words)
    return "\n\n".join(told)


def _with_causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
