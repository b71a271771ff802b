"""Start here: `valetkey` and `python -m valetkey`.

`credential-process` runs before every AWS call of many tools, so that a stored answer is printed from here, with
nothing imported that a bare interpreter has not imported already. The slow path leaves one file per profile: a head
(`head` below) that says what it depends on, and after it the exact bytes to print.

INVARIANT: the head is compared whole with one made anew; any difference, doubt or error takes the slow path.
"""

import os
import sys
import time

import valetkey

_FORMAT = "valetkey-hot/1"
# AWS_PROFILE may name the very profile that is asked for, and is never read.
_NOT_READ = frozenset({"AWS_PROFILE", "AWS_DEFAULT_PROFILE"})
_READ = frozenset({"HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME"})
# Secrets are not written down (AWS_VAULT_FILE_PASSPHRASE too); those of a base identity follow from its key id.
_SECRET = ("SECRET", "TOKEN", "PASS")
_MAX_BYTES = 65536


def hot_file(name: str) -> str:
    """Where the stored answer of a profile is. Raises OSError, KeyError or ValueError when there can be none."""
    plain = name.replace(".", "").replace("_", "").replace("-", "").replace("+", "").replace("@", "")
    if not (name.isascii() and name[:1].isalnum() and len(name) < 65 and (plain.isalnum() or not plain)):
        raise ValueError(name)
    return f"{_xdg('XDG_CACHE_HOME', '.cache')}/valetkey/hot/{name}"


def head(name: str) -> bytes:
    """What an answer depends on: this version, this user, the environment, and the files it was made from."""
    env = os.environ
    variables = sorted((key, env[key]) for key in env if _is_read(key))
    stamps = [
        _stamp(f"{_xdg('XDG_CONFIG_HOME', '.config')}/valetkey/profiles/{name}.json"),
        _stamp(env.get("AWS_CONFIG_FILE") or "~/.aws/config"),
        _stamp(env.get("AWS_SHARED_CREDENTIALS_FILE") or "~/.aws/credentials"),
    ]
    return f"{_FORMAT} {valetkey.__version__}\n{variables!a}\n{stamps!a}\n".encode("ascii")


def _is_read(key: str) -> bool:
    if not key.startswith("AWS_"):
        return key in _READ
    is_secret = any(word in key for word in _SECRET) and not key.endswith("_FILE")
    return key not in _NOT_READ and not is_secret


def _xdg(variable: str, default: str) -> str:
    given = os.environ.get(variable, "")
    return given if given.startswith("/") else f"{os.environ['HOME']}/{default}"


def _stamp(path: str) -> tuple[int, ...]:
    if "$" in path:
        raise ValueError("botocore expands variables in here, and this does not")
    try:
        found = os.stat(os.path.expanduser(path))
    except FileNotFoundError:
        return ()
    return (found.st_mtime_ns, found.st_ctime_ns, found.st_size, found.st_ino, found.st_dev)


def _stored(name: str) -> bytes | None:
    """The bytes to print, or None."""
    try:
        handle = os.open(hot_file(name), os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        try:
            found = os.fstat(handle)
            # A regular file of this user that nobody else can read: 0o100600.
            if found.st_mode & 0o177077 != 0o100000 or found.st_uid != os.geteuid():
                return None
            data = os.read(handle, _MAX_BYTES)
        finally:
            os.close(handle)
        wanted = head(name)
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
    if len(words) == 2 and words[0] == "credential-process" and "VALETKEY_INSIDE" not in os.environ:
        answer = _stored(words[1])
        if answer is not None:
            _print(answer)
            sys.exit(0)
    _open_streams()
    if [word for word in words if word != "--debug"][:1] == ["env"]:
        from valetkey.cli._evaluated import run_env

        sys.exit(run_env(words))
    from valetkey.cli._run import run

    sys.exit(run(words))


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
