"""The command line: one module per group of commands; errors become one line and a documented exit status."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from itertools import islice

from sentinel.errors import SentinelError, UsageError

STOPPED = 130
"""Exit status after Ctrl-C, as shells give it."""


def main() -> None:
    """Run the command line and end the process with its exit status (see `sentinel.errors`)."""
    from typer import TyperException

    from sentinel.cli.app import app
    from sentinel.cli.output import drop_output

    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    try:
        status = app(args=lift_home(sys.argv[1:]), prog_name="sentinel", standalone_mode=False) or 0
        sys.stdout.flush()
    except TyperException as error:
        _end_usage(error.format_message(), getattr(getattr(error, "ctx", None), "command_path", "sentinel"))
    except SentinelError as error:
        _end(str(error), error.status)
    except OSError as error:
        drop_output()
        _end(f"{error.filename or 'standard output'}: {error.strerror or error}", SentinelError.status)
    except UnicodeEncodeError as error:
        _end(f"text that is not UTF-8 cannot be stored: {error.object[:60]!a}", UsageError.status)
    except Exception as error:  # the process boundary: a fault of ours, told in one line
        if os.environ.get("SENTINEL_LOG_LEVEL") == "debug":
            raise
        _end(f"a fault of sentinel itself: {type(error).__name__}: {error} (SENTINEL_LOG_LEVEL=debug shows more)", 1)
    if status == STOPPED:
        _end("stopped; what was finished before is kept", STOPPED)
    sys.exit(status)


def lift_home(words: Sequence[str]) -> list[str]:
    """Move `--home DIR` to the front, where global options are read: people write it anywhere before `--`."""
    front: list[str] = []
    rest: list[str] = []
    waiting = iter(words)
    for word in waiting:
        if word == "--home":
            front += [word, *islice(waiting, 1)]
        elif word.startswith("--home="):
            front.append(word)
        else:
            rest.append(word)
            if word == "--":
                rest += waiting
    return front + rest


def _end_usage(message: str, command: str) -> None:
    if "\n" in message:  # the help of a command that was given no arguments
        sys.stderr.write(message + "\n")
        sys.exit(UsageError.status)
    _end(f"{message[:1].lower()}{message[1:].rstrip('.')}; see `{command} --help`", UsageError.status)


def _end(message: str, status: int) -> None:
    from sentinel.cli.output import print_note

    print_note(f"sentinel: {message}")
    sys.exit(status)
