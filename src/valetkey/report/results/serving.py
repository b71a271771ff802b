"""Served credentials as JSON (docs/reference/serve.md)."""

from __future__ import annotations

from valetkey.report.results.shape import Shape


class Server(Shape, frozen=True):
    name: str
    account: str
    role_arn: str
    url: str
    token_file: str


class Served(Shape, frozen=True):
    served: list[Server]
