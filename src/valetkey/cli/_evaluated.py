"""`valetkey env` and `valetkey use`, whose output a shell evaluates even when they fail.

INVARIANT: the first bytes on standard output remove every credential variable, and are written before anything can
fail; every end except success adds a line with a false status. `eval "$(valetkey env globex)"` therefore cannot leave
the previous customer's keys in the shell: not with an unknown profile, a wrong option, a refusal, a signal or an
internal error. After SIGKILL the status is true, and the variables are removed. Help that a shell may evaluate is
printed as comments.
"""

from __future__ import annotations

import contextlib
import io
import os
import signal
import sys
from collections.abc import Iterator, Sequence

from valetkey.credentials.delivery.shells import FAILED, cleared, shell_of

_HELP = frozenset({"--help", "-h", "--version"})
_ENDING = tuple(getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name))


class _Ended(BaseException):
    """A signal was received."""


def run_env(words: Sequence[str]) -> int:
    """Run `valetkey env ...` or `use ...` and return its exit code, or 128 + the number of a signal."""
    shell = shell_of(words)
    if "use" in words[:2] and sys.stdout.isatty():
        # The output goes to a terminal, not to a shell: the command explains what is missing.
        from valetkey.cli._run import run

        return run(words)
    if not _HELP.isdisjoint(words):
        return _help(words, shell)
    if not _write(cleared(shell)):
        return 141
    code = 3
    try:
        with _signals():
            from valetkey.cli._run import run

            code = run(words)
    except _Ended as ended:
        code = 128 + int(ended.args[0])
    except KeyboardInterrupt:
        code = 130
    finally:
        if code:
            _write(FAILED[shell])
    if code > 128:
        with contextlib.suppress(OSError):
            print("valetkey: interrupted: the shell has no credentials now", file=sys.stderr)  # noqa: T201
    return code


def _help(words: Sequence[str], shell: str) -> int:
    """Print the help: on a terminal as usual, else as comments between lines that leave a shell without credentials."""
    from valetkey.cli._run import run

    if sys.stdout.isatty():
        return run(words)
    with contextlib.redirect_stdout(io.StringIO()) as text:
        code = run(words)
    said = "".join(f"# {line}\n" for line in text.getvalue().splitlines())
    return code if _write(f"{cleared(shell)}{said}{FAILED[shell]}") else 141


@contextlib.contextmanager
def _signals() -> Iterator[None]:
    """Turn signals that would end this process into an exception."""

    def end(number: int, _: object) -> None:
        raise _Ended(number)

    for number in _ENDING:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, end)
    yield


def _write(text: str) -> bool:
    """Write all of the text at once. Return False when the reader has closed the pipe."""
    with contextlib.suppress(OSError, ValueError):
        # Bypass sys.stdout, which may keep a part that could not be written.
        data = text.encode()
        sys.stdout.flush()
        while data:
            data = data[os.write(sys.stdout.fileno(), data) :]
        return True
    return False
