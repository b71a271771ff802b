"""Send a form to AWS's sign-in host, which is no AWS API and so not boto3's."""

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
