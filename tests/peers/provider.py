"""A stand-in for Terraform's AWS provider: the real one is in no package registry that the tests may use.

It speaks the plugin protocol, so that the real Terraform starts it, several at once, and it finds credentials as the
real provider and its AWS SDK for Go do (aws-sdk-go-v2, config/resolve_credentials.go; aws-sdk-go-base,
credentials.go):

- a `profile` in the block wins; else keys in the environment; else the profile AWS_PROFILE names, or `default`;
- in a profile: keys, then `credential_process`, then the container credentials endpoint of the environment;
- a profile that names an MFA device is an error: nobody can be asked;
- a credential process is run by `sh -c`, with this process's streams, and ended after a minute;
- `assume_role` is performed with what was found; there is no field for MFA;
- `allowed_account_ids` is checked against GetCallerIdentity before anything else is done.

What it is not: the provider's resources, retries and default tags. It has one data source, a group, and of a role what
`valetkey request --as terraform` writes.
"""

from __future__ import annotations

import configparser
import json
import os
import pathlib
import subprocess
import sys
import urllib.request
from typing import Any
from urllib.parse import urlsplit

from tf.blocks import SetNestedBlock
from tf.iface import Config, DataSource, Provider, ReadDataContext, Resource
from tf.runner import run_provider
from tf.schema import Attribute, Block, Schema
from tf.types import Bool, List, Map, Number, Set, String
from tf.utils import Diagnostics

MINUTE = 60.0
OTHERS = (
    "skip_credentials_validation",
    "skip_requesting_account_id",
    "skip_metadata_api_check",
    "skip_region_validation",
)


class NoCredentials(Exception):
    """What the provider shows when it gets none."""


def _client(service: str, keys: tuple[str, str, str | None], **settings: str | None) -> Any:
    # Terraform starts a provider several times only to ask for its schema.
    import boto3

    region = settings.pop("region")
    return boto3.Session(*keys, region_name=region).client(service, **settings)


def _profile(name: str) -> dict[str, str]:
    result: dict[str, str] = {}
    for variable, usual, head in (
        ("AWS_CONFIG_FILE", "config", name if name == "default" else f"profile {name}"),
        ("AWS_SHARED_CREDENTIALS_FILE", "credentials", name),
    ):
        file = configparser.RawConfigParser()
        file.read(os.environ.get(variable) or pathlib.Path.home() / ".aws" / usual)
        if file.has_section(head):
            result |= dict(file.items(head))
    return result


def _keys(result: dict[str, Any], token: str = "SessionToken") -> tuple[str, str, str | None]:
    return result["AccessKeyId"], result["SecretAccessKey"], result.get(token)


def _process(command: str) -> tuple[str, str, str | None]:
    try:
        done = subprocess.run(["/bin/sh", "-c", command], stdout=subprocess.PIPE, timeout=MINUTE)
    except subprocess.TimeoutExpired:
        raise NoCredentials("the credential process took longer than a minute") from None
    if done.returncode:
        raise NoCredentials(f"process provider error: error in credential_process: exit status {done.returncode}")
    return _keys(json.loads(done.stdout))


def _container(url: str) -> tuple[str, str, str | None]:
    if urlsplit(url).hostname not in ("127.0.0.1", "::1", "localhost"):
        raise NoCredentials(f"invalid endpoint host in {url}, only loopback hosts are allowed")
    token = os.environ.get("AWS_CONTAINER_AUTHORIZATION_TOKEN")
    if file := os.environ.get("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"):
        token = pathlib.Path(file).read_text()
    request = urllib.request.Request(url, headers={"Authorization": token} if token else {})
    with urllib.request.urlopen(request, timeout=5) as answer:
        return _keys(json.load(answer), "Token")


def find(profile: str | None) -> tuple[str, str, str | None]:
    """Access key id, secret and token. Raises NoCredentials."""
    env = os.environ
    if not profile and env.get("AWS_ACCESS_KEY_ID") and env.get("AWS_SECRET_ACCESS_KEY"):
        return env["AWS_ACCESS_KEY_ID"], env["AWS_SECRET_ACCESS_KEY"], env.get("AWS_SESSION_TOKEN")
    name = profile or env.get("AWS_PROFILE")
    result = _profile(name or "default")
    if name and not result:
        raise NoCredentials(f"failed to get shared config profile, {name}")
    if "mfa_serial" in result:
        raise NoCredentials("assume role with MFA enabled, but AssumeRoleTokenProvider session option not set.")
    if "aws_access_key_id" in result:
        return result["aws_access_key_id"], result["aws_secret_access_key"], result.get("aws_session_token")
    if "credential_process" in result:
        return _process(result["credential_process"])
    if url := env.get("AWS_CONTAINER_CREDENTIALS_FULL_URI"):
        return _container(url)
    raise NoCredentials("No valid credential sources found")


class Aws(Provider):
    """One configured provider; every `provider` block has a process of its own."""

    def get_model_prefix(self) -> str:
        return "aws_"

    def full_name(self) -> str:
        return "registry.terraform.io/hashicorp/aws"

    def get_provider_schema(self, diags: Diagnostics) -> Schema:
        def optional(*names: str, type_: Any = None) -> list[Attribute]:
            return [Attribute(name, type_ or String(), optional=True) for name in names]

        lists = optional("shared_config_files", "shared_credentials_files", type_=List(String()))
        role = optional("role_arn", "external_id", "session_name", "duration", "policy", "source_identity")
        role += optional("tags", type_=Map(String()))
        return Schema(
            attributes=[
                *optional("profile", "region", "access_key", "secret_key", "token"),
                *optional("allowed_account_ids", "forbidden_account_ids", type_=Set(String())),
                *optional("max_retries", type_=Number()),
                *optional(*OTHERS, type_=Bool()),
                *lists,
            ],
            block_types=[
                SetNestedBlock("assume_role", Block(attributes=role)),
                SetNestedBlock("endpoints", Block(attributes=optional("iam", "sts", "s3"))),
                SetNestedBlock("default_tags", Block(attributes=optional("tags", type_=Map(String())))),
            ],
        )

    def validate_config(self, diags: Diagnostics, config: Config) -> None:
        pass

    def configure_provider(self, diags: Diagnostics, config: Config) -> None:
        region = config.get("region") or os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")
        region = region or _profile(config.get("profile") or os.environ.get("AWS_PROFILE") or "default").get("region")
        if not region:
            diags.add_error("invalid AWS Region")
            return
        [endpoints] = config.get("endpoints") or [{}]

        def client(service: str, keys: tuple[str, str, str | None]) -> Any:
            return _client(service, keys, region=region, endpoint_url=endpoints.get(service))

        from botocore.exceptions import ClientError

        try:
            keys = find(config.get("profile"))
            for role in config.get("assume_role") or []:
                asked = {"RoleArn": role["role_arn"], "RoleSessionName": role.get("session_name") or "terraform"}
                asked |= {"ExternalId": role["external_id"]} if role.get("external_id") else {}
                keys = _keys(client("sts", keys).assume_role(**asked)["Credentials"])
            self.who = client("sts", keys).get_caller_identity()
        except (NoCredentials, ClientError) as error:
            diags.add_error("No valid credential sources found", str(error))
            return
        allowed = config.get("allowed_account_ids")
        if allowed is not None and self.who["Account"] not in allowed:
            diags.add_error(f"AWS account ID not allowed: {self.who['Account']}")
            return
        self.client = lambda service: client(service, keys)

    def get_data_sources(self) -> list[type[DataSource]]:
        return [CallerIdentity]

    def get_resources(self) -> list[type[Resource]]:
        return [Group, Role, RolePolicy, RolePolicyAttachment]


class CallerIdentity(DataSource):
    def __init__(self, provider: Aws) -> None:
        self.provider = provider

    @classmethod
    def get_name(cls) -> str:
        return "caller_identity"

    @classmethod
    def get_schema(cls) -> Schema:
        return Schema(attributes=[Attribute(name, String(), computed=True) for name in ("account_id", "arn", "id")])

    def read(self, ctx: ReadDataContext, config: Config) -> dict[str, Any]:
        who = self.provider.who
        return {"account_id": who["Account"], "arn": who["Arn"], "id": who["Account"]}


class Group(Resource):
    """`aws_iam_group`: the smallest thing of IAM that can be made."""

    def __init__(self, provider: Aws) -> None:
        self.provider = provider

    @classmethod
    def get_name(cls) -> str:
        return "iam_group"

    @classmethod
    def get_schema(cls) -> Schema:
        made = [Attribute("arn", String(), computed=True)]
        return Schema(version=0, attributes=[Attribute("name", String(), required=True, requires_replace=True), *made])

    def create(self, ctx: Any, planned: Any) -> Any:
        made = self.provider.client("iam").create_group(GroupName=planned["name"])["Group"]
        return {"name": planned["name"], "arn": made["Arn"]}

    def read(self, ctx: Any, current: Any) -> Any:
        self.provider.client("iam").get_group(GroupName=current["name"])
        return current

    def update(self, ctx: Any, current: Any, planned: Any) -> Any:
        return planned

    def delete(self, ctx: Any, current: Any) -> None:
        self.provider.client("iam").delete_group(GroupName=current["name"])

    def upgrade(self, ctx: Any, version: int, old: Any) -> Any:
        return old


class _Made(Resource):
    """A resource that is made once, and neither changed nor looked at again."""

    name = ""
    required: tuple[str, ...] = ()
    optional: tuple[Attribute, ...] = ()
    computed: tuple[str, ...] = ()

    def __init__(self, provider: Aws) -> None:
        self.provider = provider

    @classmethod
    def get_name(cls) -> str:
        return cls.name

    @classmethod
    def get_schema(cls) -> Schema:
        attributes = [Attribute(item, String(), required=True, requires_replace=True) for item in cls.required]
        made = [Attribute(item, String(), computed=True) for item in cls.computed]
        return Schema(version=0, attributes=[*attributes, *cls.optional, *made])

    def read(self, ctx: Any, current: Any) -> Any:
        return current

    def update(self, ctx: Any, current: Any, planned: Any) -> Any:
        return planned

    def delete(self, ctx: Any, current: Any) -> None:
        raise NotImplementedError

    def upgrade(self, ctx: Any, version: int, old: Any) -> Any:
        return old


class Role(_Made):
    """`aws_iam_role` (provider documentation 6.25): the arguments that are used here."""

    name = "iam_role"
    required = ("name", "assume_role_policy")
    optional = (
        Attribute("description", String(), optional=True),
        Attribute("max_session_duration", Number(), optional=True),
    )
    computed = ("arn",)

    def create(self, ctx: Any, planned: Any) -> Any:
        made = self.provider.client("iam").create_role(
            RoleName=planned["name"],
            AssumeRolePolicyDocument=planned["assume_role_policy"],
            Description=planned["description"],
            MaxSessionDuration=int(planned["max_session_duration"]),
        )
        return {**planned, "arn": made["Role"]["Arn"]}


class RolePolicy(_Made):
    """`aws_iam_role_policy`."""

    name = "iam_role_policy"
    required = ("name", "role", "policy")

    def create(self, ctx: Any, planned: Any) -> Any:
        self.provider.client("iam").put_role_policy(
            RoleName=planned["role"], PolicyName=planned["name"], PolicyDocument=planned["policy"]
        )
        return planned


class RolePolicyAttachment(_Made):
    """`aws_iam_role_policy_attachment`."""

    name = "iam_role_policy_attachment"
    required = ("role", "policy_arn")

    def create(self, ctx: Any, planned: Any) -> Any:
        self.provider.client("iam").attach_role_policy(RoleName=planned["role"], PolicyArn=planned["policy_arn"])
        return planned


if __name__ == "__main__":
    run_provider(Aws(), sys.argv)
