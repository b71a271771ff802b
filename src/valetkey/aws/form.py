"""HTTPS without AWS's API, and so without boto3: a form for the sign-in host, a file that anybody may read."""

from __future__ import annotations

import http.client
import ssl
import urllib.error
import urllib.request
from typing import Any

from botocore.httpsession import get_cert_path

from valetkey.account.calls import Call, CallError

_SECONDS = 30
_MAX_BYTES = 100_000


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """What was posted goes to nobody else."""

    def redirect_request(self, *_: Any) -> None:
        return None


def post_form(url: str, form: bytes, *, ca_bundle: str | None = None) -> tuple[int, bytes]:
    """POST a form and answer status and body (100,000 bytes at most). No redirect is followed.

    Raises CallError (Unreachable, TimedOut) about `signin:GetSigninToken`, which never carries the form.
    """
    call = Call("signin", "get_signin_token")
    request = urllib.request.Request(  # noqa: S310 - the caller admits https and loopback only
        url, data=form, headers={"Content-Type": "application/x-www-form-urlencoded", "User-Agent": "valetkey"}
    )
    do = "check the network, the proxy settings, the CA bundle and AWS_ENDPOINT_URL"
    try:
        # Plain HTTP is for this computer alone: a proxy would read the keys. Over TLS the certificates are botocore's:
        # some Pythons find none of the system's.
        handler = (
            urllib.request.HTTPSHandler(context=ssl.create_default_context(cafile=ca_bundle or get_cert_path(True)))
            if url.startswith("https:")
            else urllib.request.ProxyHandler({})
        )
        with urllib.request.build_opener(_NoRedirect(), handler).open(request, timeout=_SECONDS) as answer:
            return answer.status, answer.read(_MAX_BYTES)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read(_MAX_BYTES)
    except TimeoutError:
        raise CallError(call, "TimedOut", "the sign-in host did not answer in time", do=do) from None
    except (OSError, http.client.HTTPException) as error:
        why = getattr(error, "reason", error)
        if isinstance(why, TimeoutError):
            raise CallError(call, "TimedOut", "the sign-in host did not answer in time", do=do) from None
        raise CallError(call, "Unreachable", str(why), do=do) from None


def read_public(url: str, *, limit: int, ca_bundle: str | None = None) -> bytes:
    """GET what anybody may read, without credentials: `limit` + 1 bytes at most. No redirect is followed.

    Raises OSError, with AWS's status where it refused.
    """
    context = ssl.create_default_context(cafile=ca_bundle or get_cert_path(True))
    handler = urllib.request.HTTPSHandler(context=context)
    request = urllib.request.Request(url, headers={"User-Agent": "valetkey"})  # noqa: S310 - the caller admits https
    try:
        with urllib.request.build_opener(_NoRedirect(), handler).open(request, timeout=_SECONDS) as answer:
            if answer.status != http.HTTPStatus.OK:
                raise OSError(f"the status is {answer.status}")
            found: bytes = answer.read(limit + 1)
            return found
    except urllib.error.HTTPError as error:
        with error:
            raise OSError(f"the status is {error.code}") from None
    except http.client.HTTPException as error:
        raise OSError(f"the answer is not HTTP: {type(error).__name__}") from None
