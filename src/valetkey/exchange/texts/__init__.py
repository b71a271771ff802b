"""What is written for a party without valetkey: texts for its own tools.

An access request becomes a role that the owner makes with the console, CloudFormation, Terraform or the AWS CLI
(`roles`, one writer each, `proof` before any is sent). A handoff becomes what the contractor enters the role with
(`handover`). Every writer is a pure function from a frozen value to a text.
"""
