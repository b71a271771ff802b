"""The application, built from the table of commands; each command is loaded when it is called."""

from __future__ import annotations

from cyclopts import App, Parameter

import valetkey
from valetkey.cli._commands import COMMANDS, HIDDEN
from valetkey.cli._completion import Completing


def build() -> App:
    """Build the application. Modules of a command are imported only when it is called (or its help is printed)."""
    app = Completing(
        name="valetkey",
        help="Let an outside party into your AWS account through one role, and take the access back.",
        version=valetkey.__version__,
        help_epilogue="Every command takes --debug, which shows the traceback of an error.",
        help_format="plaintext",
        result_action="return_value",
        suppress_keyboard_interrupt=False,  # else ^C ends without a message
        # Show no default that is false, None or empty.
        default_parameter=Parameter(show_default=lambda value: str(value) if value else None),
    )
    for name, target, group, summary in COMMANDS:
        app.command(f"valetkey.cli.commands.{target}", name=name, group=group, help=summary, show=name not in HIDDEN)
    app.register_install_completion_command(help="Set up completion in your shell.")
    return app
