"""The group of all commands: what the parser refuses is an envelope too, where one was asked for."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import Any

from typer.core import TyperGroup
from typer.exceptions import TyperException

from lotuslake.cli.diagnostics import complain, set_up_logging
from lotuslake.cli.output import failure, print_report
from lotuslake.core.errors import WrongUsageError


class Program(TyperGroup):
    """`lotuslake`."""

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        windows_expand_args: bool = True,
        **extra: Any,
    ) -> Any:
        """See TyperGroup."""
        given = list(sys.argv[1:] if args is None else args)
        wants_envelope = standalone_mode and "--json" in given
        try:
            done = super().main(
                given, prog_name, complete_var, standalone_mode and not wants_envelope, windows_expand_args, **extra
            )
        except TyperException as error:
            if not wants_envelope:
                raise
            sys.exit(self._refuse(error, given))
        return sys.exit(done) if wants_envelope else done

    def _refuse(self, error: TyperException, given: Sequence[str]) -> int:
        """Tell what the parser refused as every other error is told."""
        command = next((word for word in given if word in self.commands), "")
        message = " ".join(error.format_message().split())
        wrong = WrongUsageError(f"{message.rstrip('.')}; see: {f'lotuslake {command}'.strip()} --help")
        set_up_logging(os.environ.get("LOTUSLAKE_LOG_FORMAT"), os.environ, quiet=False)
        complain(wrong, os.environ, command)
        print_report(failure(command, wrong), as_json=True)
        return int(wrong.exit_code)
