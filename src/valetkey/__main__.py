"""Start here: `valetkey` and `python -m valetkey`.

`credential-process` runs before every AWS call of many tools, so that a stored answer is printed from here, with
nothing imported that a bare interpreter has not imported already. The slow path leaves one file per profile: a head
(`valetkey.hot_head`) that says what it depends on, and after it the exact bytes to print.

INVARIANT: the head is compared whole with one made anew; any difference, doubt or error takes the slow path.
"""

import os
import sys
import time

import valetkey

_MAX_BYTES = 65536


def _stored(name: str) -> bytes | None:
    """The bytes to print, or None."""
    try:
        handle = os.open(valetkey.hot_file(name), os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        try:
            found = os.fstat(handle)
            # A regular file of this user that nobody else can read: 0o100600.
            if found.st_mode & 0o177077 != 0o100000 or found.st_uid != os.geteuid():
                return None
            data = os.read(handle, _MAX_BYTES)
        finally:
            os.close(handle)
        wanted = valetkey.hot_head(name)
        if not data.startswith(wanted):
            return None
        times, _, body = data[len(wanted) :].partition(b"\n")
        begin, end = times.split()
        # `size` guards against a file cut short.
        size, _, answer = body.partition(b"\n")
        if not int(begin) <= time.time() < int(end) or len(answer) != int(size):
            return None
        return answer
    except (OSError, KeyError, ValueError, AttributeError):
        return None


def main() -> None:
    """Run the command line and exit with its code."""
    words = sys.argv[1:]
    # A valetkey that resolves a base identity says so to what it starts: a session is never a base identity.
    if len(words) == 2 and words[0] == "credential-process" and valetkey.INSIDE not in os.environ:
        answer = _stored(words[1])
        if answer is not None:
            _print(answer)
            sys.exit(0)
    try:
        sys.exit(_run(words))
    except KeyboardInterrupt:
        # Between the interpreter's start and the command's, or after its end.
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
    """Give a program that was started with a standard stream closed one that leads nowhere.

    Otherwise the next file that is opened takes its number, and what a child writes to standard error goes into it.
    """
    for number, name in ((0, "stdin"), (1, "stdout"), (2, "stderr")):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # the lowest number that is free
        if getattr(sys, name) is None:
            setattr(sys, name, open(number, "r" if number == 0 else "w", closefd=False))  # noqa: SIM115 - as long as the process


def _print(answer: bytes) -> None:
    """All of it, also into a pipe that takes a part at a time."""
    try:
        while answer:
            answer = answer[os.write(1, answer) :]
    except OSError:
        sys.exit(3)


if __name__ == "__main__":
    main()
