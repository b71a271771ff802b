"""Texts for a party that does not have valetkey: input for other tools.

From an access request: a role that the owner creates with the console, CloudFormation, Terraform or the AWS CLI
(`roles`, one writer for each tool; `proof` checks each text before it is sent). From a handoff: what the contractor
needs to assume the role (`handover`). Every writer is a pure function from a frozen value to a text.
"""
