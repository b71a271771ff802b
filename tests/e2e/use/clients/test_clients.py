"""AWS CLI v1 and v2, boto3 and the AWS SDK for JavaScript v3 through the AWS profile that `accept` writes."""

from __future__ import annotations

import concurrent.futures
import re
import shlex
import sys
from typing import Any

import pytest

from .conftest import CLIENTS, NOBODY, named, who

every_client = pytest.mark.parametrize("client", CLIENTS)


@every_client
def test_it_gets_in_by_name_and_by_variable_and_is_asked_on_the_terminal(client: str, machine: Any) -> None:
    words = who(client)
    code, shown, prompts = machine.on_terminal(words, {"AWS_PROFILE": "acme"})
    assert (code, prompts) == (0, 1), shown
    assert machine.arn("acme") in shown
    # The second customer, without a terminal: no prompt.
    done = machine.run(words, {"AWS_PROFILE": "globex"})
    assert machine.arn("globex") in done.stdout, done.stderr
    done = machine.run(named(client, "globex"))
    assert machine.arn("globex") in done.stdout, done.stderr
    assert (machine.it.asked("sts:GetSessionToken"), machine.it.asked("sts:AssumeRole")) == (1, 2)


@every_client
def test_what_goes_before_the_profile_is_as_the_docs_say(client: str, machine: Any) -> None:
    """docs/use.md, "Tools and how each gets its credentials"."""
    machine.it.first()
    user = machine.it.user
    keys = {"AWS_ACCESS_KEY_ID": user.access_key_id, "AWS_SECRET_ACCESS_KEY": user.secret_access_key}
    in_role, alone = machine.arn("acme"), user.arn
    by_variable = machine.run(who(client), {**keys, "AWS_PROFILE": "acme"})
    assert (in_role if client == "javascript" else alone) in by_variable.stdout, by_variable.stderr
    assert in_role in machine.run(named(client, "acme"), keys).stdout
    file = machine.home / ".aws/credentials"
    file.write_text(file.read_text() + "[acme]\n" + "".join(f"{name.lower()} = {keys[name]}\n" for name in keys))
    assert alone in machine.run(who(client), {"AWS_PROFILE": "acme"}).stdout
    assert in_role in machine.run([sys.executable, "-m", "valetkey", "exec", "acme", "--", *who(client)], keys).stdout


@every_client
def test_a_shell_of_another_customer_changes_neither_customer_nor_person(client: str, machine: Any) -> None:
    """valetkey inherits the shell's variables from the program that starts it."""
    answer = machine.it.first()
    bob = machine.it.person.user("bob")
    token = machine.folder / "token"
    token.write_text("x")
    former = {
        "AWS_ACCESS_KEY_ID": answer["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": answer["SecretAccessKey"],
        "AWS_SESSION_TOKEN": answer["SessionToken"],
        "AWS_PROFILE": "acme",
    }
    stranger = {
        "AWS_ACCESS_KEY_ID": bob.access_key_id,
        "AWS_SECRET_ACCESS_KEY": bob.secret_access_key,
        "AWS_ROLE_ARN": machine.arn("acme"),
        "AWS_WEB_IDENTITY_TOKEN_FILE": str(token),
        "AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://127.0.0.1:9/x",
    }
    for env in (former, stranger):
        done = machine.run(named(client, "globex"), env)
        assert machine.arn("globex") in done.stdout, done.stderr
    assert machine.it.asked("sts:GetSessionToken") == 1


@every_client
def test_without_a_terminal_it_fails_at_once_and_shows_what_to_do(client: str, machine: Any) -> None:
    # The default chain of the SDK for JavaScript only reports that it found nothing; with a profile it reports why.
    words = named(client, "acme") if client == "javascript" else who(client)
    done = machine.run(words, {"AWS_PROFILE": "acme"})
    assert done.returncode != 0
    assert done.stdout == ""
    assert NOBODY in done.stderr
    assert machine.it.asked("sts:GetSessionToken") == 0


@pytest.mark.slow
def test_all_of_them_at_once_from_an_empty_cache_are_one_prompt(machine: Any) -> None:
    """The programs of two customers, started at the same time from one shell."""
    commands = [(client, name) for client in CLIENTS for name in ("acme", "globex")]
    script = " ".join(
        f"( AWS_PROFILE={name} {shlex.join(who(client))} >out{number} 2>err{number} ) &"
        for number, (client, name) in enumerate(commands)
    )
    code, shown, prompts = machine.on_terminal(["/bin/bash", "-c", f"{script} wait"])
    assert (code, prompts) == (0, 1), shown
    for number, (client, name) in enumerate(commands):
        said = (machine.folder / f"out{number}").read_text()
        assert machine.arn(name) in said, (client, (machine.folder / f"err{number}").read_text())
    assert (machine.it.asked("sts:GetSessionToken"), machine.it.asked("sts:AssumeRole")) == (1, 2)


@every_client
def test_a_child_of_exec_cannot_be_anybody_else(client: str, machine: Any) -> None:
    machine.it.first()
    words = who(client)
    own = machine.run(words)
    assert machine.it.user.arn in own.stdout, own.stderr
    inside = [sys.executable, "-m", "valetkey", "exec", "acme", "--"]
    with concurrent.futures.ThreadPoolExecutor() as pool:
        right = pool.submit(machine.run, [*inside, *words])
        wrong = pool.submit(machine.run, [*inside, "env", "-u", "AWS_ACCESS_KEY_ID", *words])
    assert machine.arn("acme") in right.result().stdout, right.result().stderr
    assert wrong.result().returncode != 0
    assert not re.search(r"arn:aws:\w+::\d{12}:", wrong.result().stdout)
