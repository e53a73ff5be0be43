"""Bootstraps and deploys with the real CDK CLI, in the order of the pipeline."""

import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from config import Configuration
from operations.bootstrap import Bootstrap, bootstraps
from operations.node import cdk_command
from rehearsal.emulator import Emulator
from rehearsal.processes import Processes

CONCURRENT_STACKS = 4
# Each is a CDK CLI of a quarter of a GiB. More would gain nothing: the synthesis that runs beside them takes longer.
CONCURRENT_BOOTSTRAPS = 2


class Deployment:
    """The platform team's and the pipeline's commands, against the rehearsed AWS.

    Args:
        emulator: the running emulator.
        processes: runs the commands.
        configuration: the organization.
        root: the project.
        scratch: the rehearsal's folder.
    """

    def __init__(
        self,
        emulator: Emulator,
        processes: Processes,
        configuration: Configuration,
        *,
        root: Path,
        scratch: Path,
    ) -> None:
        self._emulator = emulator
        self._processes = processes
        self._configuration = configuration
        self._root = root
        self._scratch = scratch

    def bootstrap(self, accounts: Sequence[str]) -> tuple[Bootstrap, ...]:
        """Bootstrap each account with its own root's credentials, several at once.

        Args:
            accounts: ids of the accounts to bootstrap.
        """
        wanted = [
            item
            for item in bootstraps(self._configuration, termination_protection=False)
            if item.account_id in accounts
        ]
        with ThreadPoolExecutor(max_workers=CONCURRENT_BOOTSTRAPS) as pool:
            try:
                list(pool.map(self._bootstrap, wanted))
            except BaseException:
                self._processes.stop()  # or the pool would wait for what Ctrl-C does not reach
                raise
        return tuple(wanted)

    def _bootstrap(self, item: Bootstrap) -> None:
        self._processes.run(
            f"bootstrap {item.account_name}",
            [*cdk_command(), *item.arguments],
            environment=self._emulator.environment(item.account_id),
            # Not the project: the CLI would run the app to bootstrap it.
            directory=self._scratch,
        )

    def synthesize(
        self, name: str, *, config_file: Path, images: Path, environment: Mapping[str, str]
    ) -> Path:
        """Synthesize the organization as `./lz synth` does, without the template validator.

        Args:
            name: folder of the assembly within the rehearsal's folder.
            config_file: the configuration.
            images: folder of the image files; an empty one gives placeholders.
            environment: the user's own environment; synthesis needs no account.
        """
        assembly = self._scratch / name
        arguments = [sys.executable, str(self._root / "app.py"), "--no-template-validation"]
        arguments += ["--config", str(config_file), "--images", str(images), "--output", str(assembly)]
        self._processes.run(f"synth {name}", arguments, environment=environment, directory=self._root)
        return assembly

    def deploy(self, title: str, assembly: Path, patterns: Sequence[str]) -> None:
        """Deploy stacks, and no others, with the tooling account's credentials alone.

        The CLI assumes each account's deploy role and hands the execution role to CloudFormation.

        Args:
            title: for the log.
            assembly: the synthesized assembly.
            patterns: stacks, as `cdk deploy` takes them.
        """
        arguments = [*cdk_command(), "deploy", *patterns, "--exclusively", "--app", str(assembly)]
        arguments += ["--require-approval", "never", "--concurrency", str(CONCURRENT_STACKS)]
        arguments += ["--progress", "events", "--ci"]
        self._processes.run(
            f"deploy {title}",
            arguments,
            environment=self._emulator.environment(self._configuration.accounts.tooling),
            directory=self._scratch,
        )
