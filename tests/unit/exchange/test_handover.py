"""Texts for a contractor without valetkey: the terms in full, sections that the AWS CLI reads, what cannot be done."""

from __future__ import annotations

import configparser
import json
import re
import shutil
import subprocess
import sys
import threading
from dataclasses import replace
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any, get_args
from urllib.parse import parse_qs, urlsplit

import pytest

from valetkey.exchange.documents import Handoff
from valetkey.exchange.texts.handover import HandoverForm, section, write
from valetkey.exchange.texts.roles import TextError

HANDOFF = Handoff(
    role_arn="arn:aws:iam::111111111111:role/partners/audit",
    external_id="vk-0123456789abcdef",
    contractor="222222222222",
    partition="aws",
    max_session=7200,
    mfa=True,
    issued=datetime(2026, 11, 29, tzinfo=UTC),
    until=datetime(2027, 3, 1, tzinfo=UTC),
    policies=("SecurityAudit",),
)
FORMS: tuple[HandoverForm, ...] = get_args(HandoverForm)


@pytest.mark.parametrize("form", [each for each in FORMS if each != "console"])
def test_everything_is_in_full(form: HandoverForm) -> None:
    text = write(form, HANDOFF, "audit")
    for item in (HANDOFF.role_arn, HANDOFF.external_id, "2027-03-01T00:00:00Z", "MFA", "7200"):
        assert str(item) in text


@pytest.mark.parametrize("form", [each for each in FORMS if each != "console"])
def test_an_address_limit_is_said(form: HandoverForm) -> None:
    text = write(form, replace(HANDOFF, from_ip=("198.51.100.0/24", "2001:db8::/32")), "audit")
    assert "From        198.51.100.0/24, 2001:db8::/32 only, and not through a VPC endpoint" in text
    assert "From  " not in write(form, HANDOFF, "audit")


def test_the_section_is_one_that_the_aws_cli_reads() -> None:
    parser = configparser.RawConfigParser()
    parser.read_string(section(replace(HANDOFF, session_name="username"), "audit", "eu-west-1"))
    assert dict(parser["profile audit"]) == {
        "role_arn": HANDOFF.role_arn,
        "external_id": HANDOFF.external_id,
        "source_profile": "default",
        "mfa_serial": "arn:aws:iam::222222222222:mfa/YOUR-DEVICE",
        "role_session_name": "YOUR-IAM-USER-NAME",
        "duration_seconds": "7200",
        "region": "eu-west-1",
    }
    plain = section(replace(HANDOFF, mfa=False, external_id=None, max_session=3600), "audit", "x")
    assert plain == f"[profile audit]\nrole_arn = {HANDOFF.role_arn}\nsource_profile = default\nregion = x"
    mail = write("text", HANDOFF, "audit")
    assert section(HANDOFF, "audit", "us-east-1") in mail
    assert "credential_process = aws configure export-credentials --profile audit" in mail


def test_the_script_sets_what_the_section_holds() -> None:
    text = write("shell", replace(HANDOFF, external_id="a:b=c,d", session_name="username"), "audit")
    stub = 'aws() { case "$1 $2" in "iam list-mfa-devices") echo SERIAL;; "iam get-user") echo carol;; '
    stub += '*) printf "%s|" "$@"; echo;; esac; }\n'
    ran = subprocess.run(["sh"], input=stub + text, capture_output=True, text=True, timeout=20)
    assert ran.returncode == 0, ran.stderr
    result = [line.rstrip("|").split("|") for line in ran.stdout.splitlines()]
    set_ = {(words[5], words[2]): words[3] for words in result if words[:2] == ["configure", "set"]}
    assert set_ == {
        ("audit", "role_arn"): HANDOFF.role_arn,
        ("audit", "external_id"): "a:b=c,d",
        ("audit", "source_profile"): "default",
        ("audit", "mfa_serial"): "SERIAL",
        ("audit", "role_session_name"): "carol",
        ("audit", "duration_seconds"): "7200",
        ("audit", "region"): "us-east-1",
        ("audit-process", "region"): "us-east-1",
        ("audit-process", "credential_process"): "aws configure export-credentials --profile audit",
    }
    assert result[-1] == ["sts", "get-caller-identity", "--profile", "audit"]
    with pytest.raises(TextError, match="hyphen"):
        write("shell", replace(HANDOFF, external_id="-x"), "audit")


def test_the_console_cannot_send_an_external_id() -> None:
    text = write("console", HANDOFF, "audit")
    assert "cannot switch into this role" in text
    assert "getSigninToken" in text
    assert text in write("text", HANDOFF, "audit")
    plain = write("console", replace(HANDOFF, external_id=None), "audit")
    (url,) = re.findall(r"https://\S+", plain)
    assert parse_qs(urlsplit(url).query) == {
        "account": ["111111111111"],
        "roleName": ["partners/audit"],
        "displayName": ["audit"],
    }
    china = replace(HANDOFF, role_arn=HANDOFF.role_arn.replace("aws", "aws-cn"), partition="aws-cn")
    assert "https://signin.amazonaws.cn/federation" in write("console", china, "audit")
    hidden = replace(HANDOFF, partition="aws-iso", role_arn=HANDOFF.role_arn.replace("aws", "aws-iso"))
    assert "https://" not in write("console", hidden, "audit")


def test_the_recipe_posts_the_keys_and_prints_a_sign_in_url(tmp_path: Any) -> None:
    asked: list[Any] = []

    class Host(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked.append((self.path, parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())))
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b'{"SigninToken": "tok&en"}')

        def log_message(self, *_: Any) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Host)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    text = write("console", HANDOFF, "audit")
    recipe = text[text.index("aws configure") : text.index("print(to")] + text[text.index("print(to") :].split("\n")[0]
    recipe = recipe.replace("https://signin.aws.amazon.com", f"http://127.0.0.1:{server.server_port}")
    keys = '{"AccessKeyId": "ASIAX", "SecretAccessKey": "s/+", "SessionToken": "t=="}'
    script = f"aws() {{ echo '{keys}'; }}\npython3() {{ {sys.executable} \"$@\"; }}\n{recipe}\n"
    ran = subprocess.run(["bash"], input=script, capture_output=True, text=True, timeout=30)
    server.shutdown()
    assert ran.returncode == 0, ran.stderr
    ((path, form),) = asked
    assert path == "/federation"
    assert form["Action"] == ["getSigninToken"]
    assert json.loads(form["Session"][0]) == {"sessionId": "ASIAX", "sessionKey": "s/+", "sessionToken": "t=="}
    query = parse_qs(urlsplit(ran.stdout.strip()).query)
    assert query == {
        "Action": ["login"],
        "Destination": ["https://console.aws.amazon.com/"],
        "SigninToken": ["tok&en"],
    }


def test_terraform_is_told_the_account_and_asks_for_no_code() -> None:
    text = write("terraform", HANDOFF, "audit")
    assert (
        '  profile             = "audit-process"\n'
        '  region              = "us-east-1"\n'
        '  allowed_account_ids = ["111111111111"]\n' in text
    )
    code = "".join(line for line in text.splitlines(keepends=True) if not line.startswith("#"))
    assert "mfa" not in code
    plain = write("terraform", replace(HANDOFF, mfa=False, session_name=None), "audit")
    assert '    external_id = "vk-0123456789abcdef"\n' in plain
    assert "profile" not in plain.partition("provider")[2]


@pytest.mark.skipif(shutil.which("terraform") is None, reason="terraform is not installed")
@pytest.mark.parametrize("mfa", [True, False])
def test_terraform_would_lay_it_out_the_same(mfa: bool, tmp_path: Any) -> None:
    (tmp_path / "a.tf").write_text(write("terraform", replace(HANDOFF, mfa=mfa), "audit"))
    ran = subprocess.run(["terraform", "fmt", "-check", "-diff", str(tmp_path)], capture_output=True, text=True)
    assert (ran.returncode, ran.stdout) == (0, "")
