"""Structured logs on standard error: one line an event, no patient data."""

import logging
import sys

import structlog


def set_up_logs() -> None:
    """Lines for people on a terminal, JSON lines anywhere else. Libraries are heard from warnings on."""
    shared: list[structlog.typing.Processor] = [
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
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
