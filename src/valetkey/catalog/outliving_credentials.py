"""Actions that return credentials or sessions that a deny on the role does not end.

A deny on a role is evaluated for every call made with the role's own credentials. It is not evaluated if the role has
exchanged them for something else: credentials of another role, a token of a service, a database password, a connection
that stays open. Such a session lasts until it expires, or until it is ended in the service that returned it.

Rules of the list:
- A row has actions, the longest life that AWS's page gives (seconds; None: AWS gives no limit), and that page.
- AWS rarely documents whether a service evaluates the caller's policies again when a token is used. If AWS says that it
  does, the action is left out (`ASKED_AGAIN`). If AWS does not say, it is listed.
- Actions that create users, keys and roles are not listed: they are escalation (`risky_actions.ESCALATES`). Nor are
  actions that read a secret stored by another user (`risky_actions.READS`), or data already returned.
- A test checks every action against the Service Authorization Reference; `UNLISTED` gives the reason for an action that
  is not in it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

MINUTE, HOUR, DAY = 60, 3600, 86_400
_API = "https://docs.aws.amazon.com/goto/WebAPI/"
"""AWS's own redirect to the page of an operation: service and version as in the SDKs, then the operation."""


@dataclass(frozen=True)
class Outliving:
    """One kind of credentials or sessions, and the actions that return them."""

    what: str
    """The credentials or sessions that the caller gets, as a noun phrase."""
    actions: tuple[str, ...]
    """Each of them returns the credentials."""
    longest: int | None
    """Seconds: the longest life, from the time of the call; None: AWS gives no limit."""
    page: str
    """AWS's page."""
    needs: tuple[str, ...] = ()
    """Actions that must be allowed too."""
    note: str = ""
    """More from AWS about its life or end."""


OUTLIVES: tuple[Outliving, ...] = (
    Outliving(
        "sessions of other roles",
        ("sts:AssumeRole",),
        HOUR,
        "https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles.html",
        note="role chaining: one hour at most",
    ),
    Outliving(
        "sessions of a member account's root user", ("sts:AssumeRoot",), 15 * MINUTE, _API + "sts-2011-06-15/AssumeRoot"
    ),
    Outliving(
        "S3 Access Grants: credentials of the role of the S3 location",
        ("s3:GetDataAccess",),
        12 * HOUR,
        "https://docs.aws.amazon.com/AmazonS3/latest/API/API_control_GetDataAccess.html",
    ),
    Outliving(
        "S3 Express: session credentials of a directory bucket",
        ("s3express:CreateSession",),
        5 * MINUTE,
        "https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateSession.html",
    ),
    Outliving(
        "Lake Formation: credentials of the role of the data location",
        (
            "lakeformation:GetTemporaryGlueTableCredentials",
            "lakeformation:GetTemporaryGluePartitionCredentials",
            "lakeformation:GetTemporaryDataLocationCredentials",
        ),
        12 * HOUR,
        _API + "lakeformation-2017-03-31/GetTemporaryDataLocationCredentials",
        note="tables and partitions: AWS's text says 6 h, its API model 12 h",
    ),
    Outliving(
        "ECR: a token for docker",
        ("ecr:GetAuthorizationToken",),
        12 * HOUR,
        "https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_GetAuthorizationToken.html",
        note="it cannot be revoked",
    ),
    Outliving(
        "ECR Public: a token for docker",
        ("ecr-public:GetAuthorizationToken",),
        12 * HOUR,
        _API + "ecr-public-2020-10-30/GetAuthorizationToken",
        needs=("sts:GetServiceBearerToken",),
    ),
    Outliving(
        "CodeArtifact: a token for package managers",
        ("codeartifact:GetAuthorizationToken",),
        12 * HOUR,
        "https://docs.aws.amazon.com/codeartifact/latest/APIReference/API_GetAuthorizationToken.html",
        needs=("sts:GetServiceBearerToken",),
        note="its life does not depend on the role session's",
    ),
    Outliving(
        "Sign-In: a bearer token for an AWS service",
        ("signin:CreateBearerToken",),
        12 * HOUR,
        "https://docs.aws.amazon.com/signin/latest/APIReference/API_dataplane-signin_CreateBearerToken.html",
    ),
    Outliving(
        "Sign-In: CLI and agent credentials out of a console session (`aws login`)",
        ("signin:CreateOAuth2Token",),
        12 * HOUR,
        "https://docs.aws.amazon.com/cli/latest/userguide/cli-configure-sign-in.html",
        needs=("signin:AuthorizeOAuth2Access",),
        note="they are the role's own, so that the deny reaches their calls; they are renewed until 12 h have passed",
    ),
    Outliving(
        "Redshift: a database user's password",
        ("redshift:GetClusterCredentials", "redshift:GetClusterCredentialsWithIAM"),
        HOUR,
        "https://docs.aws.amazon.com/redshift/latest/APIReference/API_GetClusterCredentials.html",
        note="a connection that is open stays open",
    ),
    Outliving(
        "Redshift Serverless: a database user's password",
        ("redshift-serverless:GetCredentials",),
        HOUR,
        "https://docs.aws.amazon.com/redshift-serverless/latest/APIReference/API_GetCredentials.html",
        note="a connection that is open stays open",
    ),
    Outliving(
        "RDS and Aurora: open database connections",
        ("rds-db:connect",),
        None,
        "https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/UsingWithRDS.IAMDBAuth.html",
        note="the token lives 15 min and does not affect a connection that is open",
    ),
    Outliving(
        "Aurora DSQL: open database connections",
        ("dsql:DbConnect", "dsql:DbConnectAdmin"),
        65 * MINUTE,
        "https://docs.aws.amazon.com/aurora-dsql/latest/userguide/working-with-connections.html",
        note="an hour, and five minutes for the last transaction",
    ),
    Outliving(
        "ElastiCache: open connections",
        ("elasticache:Connect",),
        12 * HOUR,
        "https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/auth-iam.html",
    ),
    Outliving(
        "MemoryDB: open connections",
        ("memorydb:Connect",),
        12 * HOUR,
        "https://docs.aws.amazon.com/memorydb/latest/devguide/auth-iam.html",
    ),
    Outliving(
        "Session Manager: open sessions on machines and containers",
        ("ssm:StartSession", "ssm:ResumeSession", "ecs:ExecuteCommand", "sagemaker:StartSession"),
        None,
        "https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_Session.html",
        note="at most 24 h where the account's preferences set a longest session; end them with ssm:TerminateSession",
    ),
    Outliving(
        "EC2 Instance Connect: open SSH and serial console sessions",
        ("ec2-instance-connect:SendSSHPublicKey", "ec2-instance-connect:SendSerialConsoleSSHPublicKey"),
        None,
        "https://docs.aws.amazon.com/ec2-instance-connect/latest/APIReference/API_SendSSHPublicKey.html",
        note="the key lives 60 s; a session that is open stays open",
    ),
    Outliving(
        "EC2 Instance Connect Endpoint: open tunnels",
        ("ec2-instance-connect:OpenTunnel",),
        HOUR,
        "https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/permissions-for-ec2-instance-connect-endpoint.html",
    ),
    Outliving(
        "Lightsail: SSH keys and passwords of instances",
        ("lightsail:GetInstanceAccessDetails", "lightsail:DownloadDefaultKeyPair"),
        None,
        _API + "lightsail-2016-11-28/GetInstanceAccessDetails",
    ),
    Outliving(
        "GameLift: credentials for machines and for uploads",
        ("gamelift:GetComputeAccess", "gamelift:GetInstanceAccess", "gamelift:RequestUploadCredentials"),
        None,
        _API + "gamelift-2015-10-01/GetComputeAccess",
    ),
    Outliving(
        "a signed identity token that services outside AWS accept",
        ("sts:GetWebIdentityToken",),
        HOUR,
        "https://docs.aws.amazon.com/STS/latest/APIReference/API_GetWebIdentityToken.html",
        note="what the other service gives for it may live longer",
    ),
    Outliving(
        "Cognito identity pools: a token that STS takes",
        ("cognito-identity:GetOpenIdTokenForDeveloperIdentity",),
        25 * HOUR,
        _API + "cognito-identity-2014-06-30/GetOpenIdTokenForDeveloperIdentity",
        note="24 h, and an hour for the credentials that STS gives for it",
    ),
    Outliving(
        "Cognito user pools: tokens of a user",
        ("cognito-idp:AdminInitiateAuth", "cognito-idp:AdminRespondToAuthChallenge"),
        3650 * DAY,
        "https://docs.aws.amazon.com/cognito/latest/developerguide/amazon-cognito-user-pools-using-the-refresh-token.html",
        note="as the app client sets it; the refresh token lives 30 days by default, 10 years at most",
    ),
    Outliving(
        "Identity Center: application tokens",
        ("sso-oauth:CreateTokenWithIAM",),
        None,
        _API + "sso-oidc-2019-06-10/CreateTokenWithIAM",
    ),
    Outliving(
        "IoT: X.509 certificates",
        ("iot:CreateKeysAndCertificate", "iot:CreateCertificateFromCsr"),
        None,
        "https://docs.aws.amazon.com/iot/latest/developerguide/device-certs-create.html",
        note="until they are revoked",
    ),
    Outliving(
        "AppSync: API keys",
        ("appsync:CreateApiKey", "appsync:UpdateApiKey"),
        365 * DAY,
        "https://docs.aws.amazon.com/appsync/latest/devguide/security-authz.html",
        note="appsync:UpdateApiKey moves the end on",
    ),
    Outliving("Location Service: API keys", ("geo:CreateKey",), None, _API + "location-2020-11-19/CreateKey"),
    Outliving(
        "License Manager: tokens that STS takes",
        ("license-manager:CreateToken", "license-manager:GetAccessToken"),
        None,
        _API + "license-manager-2018-08-01/CreateToken",
        note="365 days unless another length is asked for",
    ),
    Outliving(
        "Grafana: API keys and tokens of a workspace",
        ("grafana:CreateWorkspaceApiKey", "grafana:CreateWorkspaceServiceAccountToken"),
        30 * DAY,
        _API + "grafana-2020-08-18/CreateWorkspaceServiceAccountToken",
    ),
    Outliving(
        "DataZone: credentials of an environment's role",
        ("datazone:GetEnvironmentCredentials", "datazone:GetDomainExecutionRoleCredentials"),
        None,
        _API + "datazone-2018-05-10/GetEnvironmentCredentials",
    ),
    Outliving(
        "Deadline Cloud: credentials of a queue's or fleet's role",
        (
            "deadline:AssumeQueueRoleForRead",
            "deadline:AssumeQueueRoleForUser",
            "deadline:AssumeQueueRoleForWorker",
            "deadline:AssumeFleetRoleForRead",
            "deadline:AssumeFleetRoleForWorker",
        ),
        None,
        _API + "deadline-2023-10-12/AssumeQueueRoleForUser",
    ),
    Outliving(
        "FinSpace: credentials for its data",
        ("finspace-api:GetProgrammaticAccessCredentials",),
        HOUR,
        _API + "finspace-2020-07-13/GetProgrammaticAccessCredentials",
    ),
    Outliving(
        "EMR: credentials for a cluster's endpoints",
        ("elasticmapreduce:GetClusterSessionCredentials",),
        None,
        _API + "elasticmapreduce-2009-03-31/GetClusterSessionCredentials",
    ),
    Outliving(
        "EMR on EKS: a token for an endpoint",
        ("emr-containers:GetManagedEndpointSessionCredentials",),
        12 * HOUR,
        _API + "emr-containers-2020-10-01/GetManagedEndpointSessionCredentials",
    ),
    Outliving(
        "Bedrock AgentCore: tokens and keys of services outside AWS",
        (
            "bedrock-agentcore:GetResourceApiKey",
            "bedrock-agentcore:GetResourceOauth2Token",
            "bedrock-agentcore:GetWorkloadAccessToken",
            "bedrock-agentcore:GetWorkloadAccessTokenForJWT",
            "bedrock-agentcore:GetWorkloadAccessTokenForUserId",
        ),
        None,
        _API + "bedrock-agentcore-2024-02-28/GetResourceOauth2Token",
    ),
    Outliving(
        "Airflow (MWAA): tokens for the web page and the CLI",
        ("airflow:CreateWebLoginToken", "airflow:CreateCliToken"),
        None,
        _API + "mwaa-2020-07-01/CreateWebLoginToken",
        note="the tokens live 60 s; AWS names no limit of the page's session",
    ),
    Outliving(
        "SageMaker MLflow: a session of its web page",
        ("sagemaker:CreatePresignedMlflowTrackingServerUrl", "sagemaker:CreatePresignedMlflowAppUrl"),
        12 * HOUR,
        _API + "sagemaker-2017-07-24/CreatePresignedMlflowTrackingServerUrl",
    ),
    Outliving(
        "QuickSight: sessions of embedded pages",
        (
            "quicksight:GenerateEmbedUrlForAnonymousUser",
            "quicksight:GenerateEmbedUrlForRegisteredUser",
            "quicksight:GenerateEmbedUrlForRegisteredUserWithIdentity",
            "quicksight:GetAnonymousUserEmbedUrl",
            "quicksight:GetDashboardEmbedUrl",
            "quicksight:GetSessionEmbedUrl",
        ),
        10 * HOUR,
        _API + "quicksight-2018-04-01/GenerateEmbedUrlForRegisteredUser",
    ),
    Outliving(
        "AppStream: URLs that start a streaming session",
        ("appstream:CreateStreamingURL",),
        7 * DAY,
        _API + "appstream-2016-12-01/CreateStreamingURL",
        note="the URL; the session that it starts lasts as the fleet sets it",
    ),
    Outliving(
        "Kinesis Video: URLs of recordings",
        ("kinesisvideo:GetHLSStreamingSessionURL", "kinesisvideo:GetDASHStreamingSessionURL"),
        12 * HOUR,
        _API + "kinesis-video-archived-media-2017-09-30/GetHLSStreamingSessionURL",
    ),
    Outliving(
        "IVS: tokens of a stage",
        ("ivs:CreateParticipantToken",),
        14 * DAY,
        _API + "ivs-realtime-2020-07-14/CreateParticipantToken",
    ),
    Outliving(
        "IVS Chat: tokens of a room",
        ("ivschat:CreateChatToken",),
        3 * HOUR,
        _API + "ivschat-2020-07-14/CreateChatToken",
    ),
    Outliving(
        "Connect: a sign-in token",
        ("connect:GetFederationToken",),
        None,
        _API + "connect-2017-08-08/GetFederationToken",
    ),
    Outliving(
        "Q Business: URLs of a web page for anybody",
        ("qbusiness:CreateAnonymousWebExperienceUrl",),
        65 * MINUTE,
        _API + "qbusiness-2023-11-27/CreateAnonymousWebExperienceUrl",
        note="the URL has to be used within 5 min; the session lasts an hour",
    ),
    Outliving(
        "EMR Serverless: URLs of a job's pages",
        ("emr-serverless:GetDashboardForJobRun",),
        HOUR,
        _API + "emr-serverless-2021-07-13/GetDashboardForJobRun",
    ),
    Outliving(
        "Device Farm: URLs that drive a browser",
        ("devicefarm:CreateTestGridUrl",),
        DAY,
        _API + "devicefarm-2015-06-23/CreateTestGridUrl",
    ),
    Outliving(
        "Athena: a token for a notebook",
        ("athena:CreatePresignedNotebookUrl",),
        10 * MINUTE,
        _API + "athena-2017-05-18/CreatePresignedNotebookUrl",
    ),
)
"""Credentials and sessions that a role may hold after it is denied everything, the most general first."""

UNLISTED: Mapping[str, str] = {
    "lakeformation:GetTemporaryDataLocationCredentials": "an operation of the API; the Service Authorization Reference "
    "does not list it yet",
    "signin:CreateBearerToken": "an operation of the API; the Service Authorization Reference does not list it yet",
}
"""Actions of `OUTLIVES` that the Service Authorization Reference does not list (yet), and why they are listed here."""

ASKED_AGAIN: Mapping[str, str] = {
    "sagemaker:CreatePresignedDomainUrl": _API + "sagemaker-2017-07-24/CreatePresignedDomainUrl",
    "sagemaker:CreatePresignedNotebookInstanceUrl": _API + "sagemaker-2017-07-24/CreatePresignedNotebookInstanceUrl",
    "bedrock:CallWithBearerToken": "https://docs.aws.amazon.com/bedrock/latest/userguide/api-keys-permissions.html",
}
"""Similar actions that are not listed, with AWS's page: the role's policies are evaluated for every request made with
the credentials that these actions return."""


def life(seconds: int | None) -> str:
    """Format a life: "12 h", "30 days", "no limit named by AWS"."""
    if seconds is None:
        return "no limit named by AWS"
    if seconds == HOUR:
        return "1 h"
    for unit, name in ((DAY, "days"), (HOUR, "h"), (MINUTE, "min")):
        if seconds % unit == 0 and seconds > unit:
            return f"{seconds // unit} {name}"
    return f"{seconds // MINUTE} min"
