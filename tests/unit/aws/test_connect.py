"""Connecting: what goes wrong before AWS answers is said in words, within limits."""

import http.server
import threading

import pytest

from valetkey.account import Call, CallError
from valetkey.aws import connect


class Keys:
    access_key_id = "AKIAEXAMPLE"
    secret_access_key = "not-a-real-secret"
    session_token = None


@pytest.fixture
def answer(monkeypatch):
    """A loopback server that gives one fixed answer; yields a function to set it, whose `seen()` counts requests."""
    state = {"status": 200, "body": b""}
    seen = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            seen.append(self.path)
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            self.send_response(state["status"])
            self.send_header("Content-Length", str(len(state["body"])))
            self.end_headers()
            self.wfile.write(state["body"])

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{server.server_port}")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")

    def give(status, body):
        state.update(status=status, body=body)

    give.seen = lambda: len(seen)
    yield give
    server.shutdown()


WHO = "User: x is not authorized to perform: iam:GetRole on resource: role audit"


def test_no_credentials_says_to_sign_in():
    with pytest.raises(CallError) as caught:
        connect()(Call("sts", "get_caller_identity"))
    assert caught.value.code == "NoCredentials"
    assert "--profile" in caught.value.do


@pytest.mark.parametrize(
    ("code", "message", "likely"),
    [
        ("InvalidClientTokenId", "The security token included in the request is invalid.", "was deleted"),
        ("ExpiredToken", "The security token included in the request is expired", "has ended"),
        ("SignatureDoesNotMatch", "The request signature we calculated does not match", "does not belong to"),
        ("SignatureDoesNotMatch", "Signature expired: 20261128T110000Z is now earlier than 2026...", "clock is wrong"),
        (
            "SignatureDoesNotMatch",
            "Signature expired: 2026 is now earlier than 2026 (2026 - 15 min.)",
            "than 15 minutes",
        ),
        ("AccessDenied", "User: x is not authorized", "no policy of your account"),
        (
            "AccessDenied",
            f"{WHO} because no identity-based policy allows the iam:GetRole action",
            "no policy of your us",
        ),
        ("AccessDenied", f"{WHO} with an explicit deny in an identity-based policy", "a policy of your user"),
        ("AccessDenied", f"{WHO} with an explicit deny in a permissions boundary", "your permissions boundary denies"),
        ("AccessDenied", f"{WHO} with an explicit deny in a service control policy", "policy of your organization"),
        ("AccessDenied", f"{WHO} with an explicit deny in a quantum policy", "no policy of your account"),
        ("SomethingNew", "x", ""),
    ],
)
def test_a_refusal_has_its_most_likely_reason(answer, code, message, likely):
    """Commands that no profile is needed for (request, accept) have nothing else to go by."""
    body = f"<ErrorResponse><Error><Code>{code}</Code><Message>{message}</Message></Error></ErrorResponse>"
    answer(403, body.encode())
    with pytest.raises(CallError) as caught:
        connect(keys=Keys())(Call("sts", "get_caller_identity"))
    assert likely in caught.value.likely
    assert bool(likely) == bool(caught.value.likely)


def test_a_sign_in_that_has_ended_says_to_sign_in(monkeypatch, tmp_path):
    config = tmp_path / "config"
    config.write_text(
        "[profile sso]\nsso_session = corp\nsso_account_id = 111111111111\nsso_role_name = Admin\nregion = eu-west-1\n"
        "[sso-session corp]\nsso_start_url = https://corp.invalid/start\nsso_region = eu-west-1\n"
    )
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    with pytest.raises(CallError) as caught:
        connect(profile="sso")(Call("sts", "get_caller_identity"))
    assert caught.value.code == "NoCredentials"
    assert "sign in" in caught.value.do


def test_an_unknown_profile_is_named():
    with pytest.raises(CallError, match="nobody") as caught:
        connect(profile="nobody")
    assert caught.value.code == "NoSuchProfile"


def test_unreachable_is_exit_code_3(monkeypatch):
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    with pytest.raises(CallError) as caught:
        connect(keys=Keys())(Call("sts", "get_caller_identity"))
    assert caught.value.code == "Unreachable"
    assert caught.value.exit_code == 3


def test_a_wrong_parameter_never_leaves_the_computer():
    with pytest.raises(CallError) as caught:
        connect(keys=Keys())(Call("iam", "get_role", {"RoleNam": "x"}))
    assert caught.value.code == "InvalidParameter"


def test_awss_refusal_keeps_its_code_and_text(answer):
    answer(
        403,
        b"<ErrorResponse><Error><Code>AccessDenied</Code><Message>not yours</Message></Error></ErrorResponse>",
    )
    with pytest.raises(CallError) as caught:
        connect(keys=Keys())(Call("sts", "get_caller_identity"))
    assert (caught.value.code, caught.value.message) == ("AccessDenied", "not yours")
    assert "not-a-real-secret" not in repr(caught.value) + str(caught.value.__context__)


def test_an_answer_comes_without_metadata(answer):
    answer(
        200,
        b"<GetCallerIdentityResponse><GetCallerIdentityResult><Account>111122223333</Account>"
        b"</GetCallerIdentityResult></GetCallerIdentityResponse>",
    )
    assert connect(keys=Keys())(Call("sts", "get_caller_identity")) == {"Account": "111122223333"}


def test_an_answer_that_is_no_answer_is_said(answer):
    answer(200, b"<html>captive portal")
    with pytest.raises(CallError) as caught:
        connect(keys=Keys())(Call("sts", "get_caller_identity"))
    assert caught.value.code == "Garbled"
    assert "captive" not in str(caught.value)


def test_the_attempts_that_one_person_asked_for_are_not_those_of_the_next_in_the_same_process(answer, monkeypatch):
    answer(500, b"")
    tries: list[int] = []
    for attempts in ("1", "2"):
        monkeypatch.setenv("AWS_MAX_ATTEMPTS", attempts)
        perform = connect(keys=Keys(), region="us-east-1")
        before = answer.seen()
        with pytest.raises(CallError):
            perform(Call("iam", "list_roles"))
        tries.append(answer.seen() - before)
    assert tries == [1, 2]
