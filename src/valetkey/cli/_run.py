"""Run a command line and return an exit code.

0 done / holds; 1 does not hold; 2 wrong use or bad input; 3 AWS or the network failed; 141 the reader of the output
closed the pipe. `exec` returns the exit code of its child.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from valetkey.cli._interrupting import begin, say_interrupted
from valetkey.errors import ValetkeyError


def run(words: Sequence[str]) -> int:
    """Run one command and return the exit code. `--debug` anywhere before `--` shows tracebacks."""
    words = list(words)
    begin()
    own = words[: words.index("--")] if "--" in words else words
    debug = "--debug" in own
    if _as_json(own):
        from valetkey.report.text import begin_output

        begin_output()
    if debug:
        words.remove("--debug")
    try:
        code = None
        if words[:1] == ["exec"] and "--" in words:
            from valetkey.cli._default_name import with_default_name

            words = with_default_name(words, os.environ)
        if not debug and words[:1] in (["exec"], ["env"], ["use"]):
            from valetkey.cli._short import short

            code = short(words)
        if code is None:
            from valetkey.cli._app import build

            code = build()(words, exit_on_error=False, print_error=False)
        sys.stdout.flush()
        return code if isinstance(code, int) else 0
    except ValetkeyError as problem:
        if debug and problem.exit_code != 130:
            raise
        from valetkey.report.problem import say_problem

        say_problem(problem, as_json=_as_json(own))
        return _own_failure(words, problem.exit_code)
    except BrokenPipeError:
        # The reader closed the pipe (`| head`): there is nothing to report, and Python must not flush again. 141 is
        # what a shell returns for a process ended by SIGPIPE; 0 would mean "holds" for an audit with findings.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    except KeyboardInterrupt:
        if not _is_evaluated(words):
            say_interrupted()
        return 130
    except Exception as error:
        if debug:
            raise
        from cyclopts import CycloptsError

        from valetkey.report.problem import say_problem

        if isinstance(error, CycloptsError):
            from valetkey.cli._misuse import misuse

            what, do = misuse(error, words)
            say_problem(ValetkeyError(what, do=do), as_json=_as_json(own))
            return _own_failure(words, 2)
        # Name only the type: the text of an unexpected error may contain anything, also secrets.
        fault = ValetkeyError(
            f"this is a fault of valetkey's own ({type(error).__name__})",
            do="run the command again with --debug and report what it shows",
            exit_code=3,
        )
        say_problem(fault, as_json=_as_json(own))
        return _own_failure(words, 3)


def _as_json(words: Sequence[str]) -> bool:
    """Return whether the result was requested as JSON; the arguments need not be valid otherwise."""
    from itertools import pairwise

    values = [after for word, after in pairwise(words) if word == "--format"]
    return "--json" in words or "--format=json" in words or "json" in values


def _is_evaluated(words: Sequence[str]) -> bool:
    """Return whether a shell evaluates the output: the code that prints for it reports the shell's state after ^C."""
    return words[:1] == ["env"] or (words[:1] == ["use"] and not sys.stdout.isatty())


def _own_failure(words: Sequence[str], code: int) -> int:
    """Return the exit code: `exec` ends with its child's code, so that its own failures are 125 to 127, as in
    env(1)."""
    return 125 if words[:1] == ["exec"] and code < 125 else code
