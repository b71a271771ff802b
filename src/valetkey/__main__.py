"""Entry point of `valetkey` and `python -m valetkey`.

Many tools run `credential-process` before every AWS call. Therefore this module prints a stored response itself,
without importing any module that a bare interpreter has not imported. The slow path writes one file per profile: a head
(`valetkey.hot_head`) with everything that the response depends on, then the exact bytes to print.

INVARIANT: the whole head is compared with a newly computed one; any difference, doubt or error takes the slow path.
"""

import os
import sys
import time

import valetkey

_MAX_BYTES = 65536


def _stored(name: str) -> bytes | None:
    """Return the stored bytes to print, or None."""
    try:
        handle = os.open(valetkey.hot_file(name), os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        try:
            status = os.fstat(handle)
            # Require a regular file of this user that other users cannot read: 0o100600.
            if status.st_mode & 0o177077 != 0o100000 or status.st_uid != os.geteuid():
                return None
            data = os.read(handle, _MAX_BYTES)
        finally:
            os.close(handle)
        wanted = valetkey.hot_head(name)
        if not data.startswith(wanted):
            return None
        times, _, body = data[len(wanted) :].partition(b"\n")
        begin, end = times.split()
        # `size` detects a truncated file.
        size, _, answer = body.partition(b"\n")
        if not int(begin) <= time.time() < int(end) or len(answer) != int(size):
            return None
        return answer
    except (OSError, KeyError, ValueError, AttributeError):
        return None


def main() -> None:
    """Run the command line and exit with its code."""
    words = sys.argv[1:]
    # valetkey sets INSIDE for the programs that it starts to resolve a base identity: a session is never a base
    # identity.
    if len(words) == 2 and words[0] == "credential-process" and valetkey.INSIDE not in os.environ:
        answer = _stored(words[1])
        if answer is not None:
            _print(answer)
            sys.exit(0)
    try:
        sys.exit(_run(words))
    except KeyboardInterrupt:
        # Interrupted between the start of the interpreter and the command, or after the command.
        os.write(2, b"valetkey: interrupted: nothing was changed\n")
        sys.exit(130)


def _run(words: list[str]) -> int:
    _open_streams()
    if [word for word in words if word != "--debug"][:1] in (["env"], ["use"]):
        from valetkey.cli._evaluated import run_env

        code = run_env(words)
    else:
        from valetkey.cli._run import run

        code = run(words)
    from valetkey.cli._interrupting import leave_interrupts

    leave_interrupts()
    return code


def _open_streams() -> None:
    """Open os.devnull for each standard stream that was closed when the program started.

    Otherwise the next file to be opened takes that number, and the standard error of a child is written into it.
    """
    for number, name in ((0, "stdin"), (1, "stdout"), (2, "stderr")):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest free number
        if getattr(sys, name) is None:
            setattr(sys, name, open(number, "r" if number == 0 else "w", closefd=False))  # noqa: SIM115 - as long as the process


def _print(answer: bytes) -> None:
    """Write all bytes to standard output, also to a pipe that accepts a part at a time."""
    try:
        while answer:
            answer = answer[os.write(1, answer) :]
    except OSError:
        sys.exit(3)


if __name__ == "__main__":
    main()
