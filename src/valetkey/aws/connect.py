"""Perform calls on AWS with boto3: every wait has a limit, and every error says what to do."""

from __future__ import annotations

import copy
import re
from typing import Any, assert_never

import boto3
import botocore.exceptions as wrong
from botocore.config import Config
from botocore.parsers import ResponseParserError

from valetkey.account.base_identity import STORED, NoBase
from valetkey.account.calls import REFUSED, AccessKeys, Call, CallError, Perform
from valetkey.account.denial import PolicyType, read_denial
from valetkey.aws.opening import check_region, missing_bundle, named, problem_of, usual_session, with_stored
from valetkey.errors import ValetkeyError, page

# A call waits 5 s for a connection and 30 s for a response. It is attempted 3 times (AWS_MAX_ATTEMPTS changes that).
_LIMITS: dict[str, Any] = {
    "connect_timeout": 5,
    "read_timeout": 30,
    "retries": {"mode": "standard"},
    "user_agent_extra": "valetkey",
}

# What AWS's error codes usually mean. Used where the message does not name the policy type that denied the call.
_LIKELY = {
    "ExpiredToken": "the session that you are signed in with has ended",
    "ExpiredTokenException": "the session that you are signed in with has ended",
    "InvalidClientTokenId": "this access key was deleted or deactivated, or is of another partition",
    "UnrecognizedClientException": "this access key was deleted or deactivated, or is of another partition",
    "SignatureDoesNotMatch": "the secret key does not belong to the access key",
    "AccessDenied": "no policy of your account allows you this call, or one denies it",
    "AccessDeniedException": "no policy of your account allows you this call, or one denies it",
    "Throttling": "too many calls are made from your account at this moment",
    "ThrottlingException": "too many calls are made from your account at this moment",
    "RequestLimitExceeded": "too many calls are made from your account at this moment",
    "ServiceUnavailable": "AWS reports a temporary failure",
    "InternalFailure": "AWS reports a temporary failure",
    "Unreachable": "the network, a proxy or AWS_ENDPOINT_URL prevents this computer from reaching AWS",
}
_ADVICE = {
    "ExpiredToken": "sign in again: these credentials have expired",
    "InvalidClientTokenId": "check the access key (unknown, inactive?) and the region (of its partition, enabled?)",
    "SignatureDoesNotMatch": "check the secret key and this computer's clock",
    "AccessDenied": f"see the permissions that each command needs: {page('reference/permissions.md')}",
}


def _likely(code: str, message: str) -> str:
    if "Signature expired" in message or "Signature not yet current" in message:
        # Observed limits: 5 minutes in IAM's messages, 15 in STS's: "(20261128T110000Z - 15 min.)".
        limit = re.search(r"[-+] (\d{1,3}) min", message)
        return f"this computer's clock is wrong by more than {f'{limit[1]} minutes' if limit else 'AWS allows'}"
    denial = read_denial(message) if code in REFUSED else None
    if denial is not None and denial.policy is not None:
        return _denied(denial.policy, denial.explicit)
    return _LIKELY.get(code, "")


def _denied(policy: PolicyType, explicit: bool) -> str:
    """Describe the denial of a call in the caller's own account, by the policy type that AWS names
    (troubleshoot_access-denied)."""
    verb = "denies this call" if explicit else "does not allow this call"
    match policy:
        case PolicyType.IDENTITY if not explicit:
            return "no policy of your user, its groups or your role allows this call"
        case PolicyType.IDENTITY:
            return "a policy of your user, one of its groups or your role denies this call"
        case PolicyType.BOUNDARY:
            return f"your permissions boundary {verb}"
        case PolicyType.SESSION:
            return f"the session policy of your sign-in {verb}"
        case PolicyType.SCP:
            return "a service control policy of your organization refuses this call"
        case PolicyType.RCP:
            return "a resource control policy of the organization that owns the resource refuses this call"
        case PolicyType.ENDPOINT:
            return f"the policy of the VPC endpoint that this call goes through {verb}"
        case PolicyType.TRUST:
            return f"the role's trust policy {verb}"
        case PolicyType.RESOURCE:
            return f"the policy of the resource itself {verb}"
        case _:
            assert_never(policy)


def connect(
    *,
    profile: str | None = None,
    region: str | None = None,
    keys: AccessKeys | None = None,
    stored: AccessKeys | None = None,
) -> Perform:
    """Return a function that performs calls: with `keys`, else with boto3's default chain (for `profile`, if given),
    else with `stored`, the profile's key in the OS keyring.

    The region is the argument, else that of the environment or the profile, else us-east-1: botocore needs one to find
    the partition of IAM and STS. Raises CallError (code NoSuchProfile) and ConfigError at once; all other errors when a
    call is made.
    """
    name = f"the AWS profile {profile}" if profile else "your sign-in"
    core = usual_session(profile)
    try:
        with named(core, name, profile):
            if keys is not None:
                core.set_credentials(keys.access_key_id, keys.secret_access_key, keys.session_token)
            session = boto3.Session(botocore_session=core, region_name=region)
            if keys is None and stored is not None:
                _stand_in(session, stored)
            where = session.region_name or "us-east-1"
            if where != region:
                check_region(core, where)
    except NoBase as problem:
        if problem.exit_code != NoBase.exit_code:
            raise
        raise CallError(
            Call("sts", "connect"), "NoSuchProfile", problem.what, do="name a profile of your AWS config with --profile"
        ) from None
    return performer(session, where, name=name, profile=profile)


def _stand_in(session: Any, stored: AccessKeys) -> None:
    with_stored(session._session, stored)
    result = session.get_credentials()
    if result is not None and result.method == STORED:
        session._session.set_credentials(stored.access_key_id, stored.secret_access_key)


def performer(
    session: Any,
    where: str,
    limits: dict[str, Any] = _LIMITS,
    *,
    name: str = "the base identity",
    profile: str | None = None,
) -> Perform:
    """Return a function that performs calls with a boto3 session in one region. `limits` are botocore Config options.
    Messages call the identity `name`; `profile` is its AWS profile. The function raises CallError for errors of AWS or
    the network; NoBase and ConfigError for problems on this computer."""
    clients: dict[str, Any] = {}

    def perform(call: Call, /) -> dict[str, Any]:
        try:
            client = clients.get(call.service)
            if client is None:
                # botocore writes AWS_MAX_ATTEMPTS into the options that it gets, so each client gets its own copy.
                client = clients[call.service] = session.client(
                    call.service, region_name=where, config=Config(**copy.deepcopy(limits))
                )
            answer: dict[str, Any] = getattr(client, call.operation)(**call.params)
        except wrong.ClientError as error:
            details = error.response.get("Error", {})
            code = details.get("Code", "Unknown")
            message = details.get("Message", "")
            raise CallError(call, code, message, do=_ADVICE.get(code, ""), likely=_likely(code, message)) from None
        except (
            wrong.NoCredentialsError,
            wrong.PartialCredentialsError,
            wrong.CredentialRetrievalError,
            wrong.LoginError,
            wrong.SSOError,
            wrong.TokenRetrievalError,
        ) as error:
            raise CallError(
                call,
                "NoCredentials",
                str(error),
                do="sign in, or name a profile with --profile or AWS_PROFILE",
            ) from None
        except (wrong.ConnectTimeoutError, wrong.ReadTimeoutError) as error:
            raise CallError(
                call, "TimedOut", str(error), do="check the network and try again", likely=_LIKELY["Unreachable"]
            ) from None
        except wrong.ParamValidationError as error:
            raise CallError(call, "InvalidParameter", str(error)) from None
        except ResponseParserError:
            # The error's text quotes the response, which may contain parts of keys, so it is not passed on.
            raise CallError(
                call,
                "Garbled",
                "the answer was cut or is not AWS's",
                do="check for a proxy or sign-in page, and try again",
                likely="a proxy or a sign-in page answered instead of AWS",
            ) from None
        except (wrong.HTTPClientError, wrong.ConnectionError) as error:
            bundle = missing_bundle(session._session, error)
            if bundle is not None:
                raise bundle from None
            raise CallError(
                call,
                "Unreachable",
                str(error),
                do="check the network, the region and AWS_ENDPOINT_URL",
                likely=_LIKELY["Unreachable"],
            ) from None
        except ValetkeyError:
            raise
        except (wrong.BotoCoreError, OSError, ValueError, KeyError) as error:
            raise problem_of(error, session._session, name, profile) from None
        answer.pop("ResponseMetadata", None)
        return answer

    return perform
