"""HTTPS requests without boto3: a form for the sign-in host, and files that are public."""

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
    """Refuses redirects: no other host gets what was posted."""

    def redirect_request(self, *_: Any) -> None:
        return None


def post_form(url: str, form: bytes, *, ca_bundle: str | None = None) -> tuple[int, bytes]:
    """POST a form. Returns the status and the body (up to 100,000 bytes). No redirect is followed.

    Raises CallError (Unreachable, TimedOut) with the call `signin:GetSigninToken`; the error never contains the form.
    """
    call = Call("signin", "get_signin_token")
    request = urllib.request.Request(  # noqa: S310 - the caller admits https and loopback only
        url, data=form, headers={"Content-Type": "application/x-www-form-urlencoded", "User-Agent": "valetkey"}
    )
    do = "check the network, the proxy settings, the CA bundle and AWS_ENDPOINT_URL"
    try:
        # Plain HTTP goes to this computer only and uses no proxy: a proxy could read the keys. TLS uses botocore's
        # certificates, because some Python builds do not find the system's.
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
    """GET a public file without credentials. Returns up to `limit` + 1 bytes. No redirect is followed.

    Raises OSError; it names the HTTP status if the server refused.
    """
    context = ssl.create_default_context(cafile=ca_bundle or get_cert_path(True))
    handler = urllib.request.HTTPSHandler(context=context)
    request = urllib.request.Request(url, headers={"User-Agent": "valetkey"})  # noqa: S310 - the caller admits https
    try:
        with urllib.request.build_opener(_NoRedirect(), handler).open(request, timeout=_SECONDS) as answer:
            if answer.status != http.HTTPStatus.OK:
                raise OSError(f"the status is {answer.status}")
            result: bytes = answer.read(limit + 1)
            return result
    except urllib.error.HTTPError as error:
        with error:
            raise OSError(f"the status is {error.code}") from None
    except http.client.HTTPException as error:
        raise OSError(f"the answer is not HTTP: {type(error).__name__}") from None
