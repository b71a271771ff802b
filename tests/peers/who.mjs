// `node who.mjs [PROFILE]`: prints who the AWS SDK for JavaScript is, by its default chain or by a profile.
import { STSClient, GetCallerIdentityCommand } from "@aws-sdk/client-sts";
import { fromIni, fromNodeProviderChain } from "@aws-sdk/credential-providers";

const profile = process.argv[2];
const credentials = profile ? fromIni({ profile }) : fromNodeProviderChain();
const client = new STSClient({ region: "us-east-1", credentials });
const { Account, Arn } = await client.send(new GetCallerIdentityCommand({}));
console.log(JSON.stringify({ Account, Arn }));
