"""Where packages come from: those settings of npm, pip and uv that name registries, proxies and authorities."""

import configparser
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import urlsplit

_NPM = (
    "registry",
    "cafile",
    "ca",
    "cert",
    "key",
    "strict-ssl",
    "proxy",
    "https-proxy",
    "noproxy",
    "fetch-timeout",
)
_PIP = (
    "index-url",
    "extra-index-url",
    "find-links",
    "no-index",
    "trusted-host",
    "cert",
    "client-cert",
    "proxy",
    "timeout",
    "retries",
)
_UV = ("INDEX", "DEFAULT_INDEX", "INDEX_URL", "EXTRA_INDEX_URL", "FIND_LINKS", "NO_INDEX", "HTTP_TIMEOUT")
_UV_MORE = ("NATIVE_TLS", "SYSTEM_CERTS", "INSECURE_HOST", "OFFLINE", "KEYRING_PROVIDER", "INDEX_STRATEGY")
_PUBLIC_HOSTS = ("registry.npmjs.org", "pypi.org", "files.pythonhosted.org", "bootstrap.pypa.io")
_PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")


class Registries:
    """The person's package registries.

    Args:
        environment: the person's environment.
    """

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment
        self._home = Path(environment.get("HOME") or "~").expanduser()
        self._npm = dict(self._read_npm())
        self._pip = dict(self._read_pip())

    def install(self, home: Path) -> dict[str, str]:
        """Write the settings into a build's home, for nobody else to read; return the variables that go with them.

        Args:
            home: the build's home folder.
        """
        npmrc, pip = home / ".npmrc", home / "pip.conf"
        for file, lines in (
            (npmrc, [f"{key}={value}" for key, value in self._npm.items()]),
            (pip, ["[global]", *(f"{key} = {value}" for key, value in self._pip.items())]),
        ):
            file.touch(mode=0o600)
            file.write_text("\n".join([*lines, ""]), encoding="utf-8")
        return {
            "npm_config_userconfig": str(npmrc),
            "npm_config_cache": str(self._npm_cache()),
            "PIP_CONFIG_FILE": str(pip),
            "PIP_CACHE_DIR": self._environment.get("PIP_CACHE_DIR") or str(self._cache() / "pip"),
            "UV_CACHE_DIR": self._environment.get("UV_CACHE_DIR") or str(self._cache() / "uv"),
            **self._uv(),
        }

    def hosts(self) -> tuple[str, ...]:
        """Names of the registries' hosts; a build asks them itself, and not the door to the rehearsed sites."""
        values = [*self._npm.values(), *self._pip.values(), *self._uv().values()]
        found = [urlsplit(word).hostname for value in values for word in value.replace("=", " ").split()]
        return tuple(dict.fromkeys([*filter(None, found), *_PUBLIC_HOSTS]))

    def proxies(self) -> dict[str, str]:
        """Return the person's own proxy for the registries, in the words of npm and pip; empty without one."""
        given = {name: self._variable(name) for name in _PROXIES}
        secure = given["HTTPS_PROXY"] or given["ALL_PROXY"]
        plain = given["HTTP_PROXY"] or given["ALL_PROXY"]
        wanted = {"npm_config_https_proxy": secure, "npm_config_proxy": plain, "PIP_PROXY": secure or plain}
        if any(wanted.values()):
            wanted["npm_config_noproxy"] = given["NO_PROXY"]
        return {name: value for name, value in wanted.items() if value}

    def _variable(self, name: str) -> str:
        return self._environment.get(name) or self._environment.get(name.lower()) or ""

    def _cache(self) -> Path:
        return Path(self._environment.get("XDG_CACHE_HOME") or self._home / ".cache")

    def _npm_cache(self) -> Path:
        return Path(self._environment.get("npm_config_cache") or self._home / ".npm")

    def _read_npm(self) -> Iterator[tuple[str, str]]:
        """Give what the person's file says, then what the environment does, which wins in npm too."""
        file = Path(self._environment.get("npm_config_userconfig") or self._home / ".npmrc")
        lines = file.read_text(encoding="utf-8").splitlines() if file.is_file() else []
        for line in lines:
            key, found, value = line.partition("=")
            # `//host/:_authToken` and `@scope:registry` belong to a registry.
            if found and _is_npm(key.strip()):
                yield key.strip(), value.strip()
        for name, value in self._environment.items():
            key = name.lower().removeprefix("npm_config_").replace("_", "-")
            if name.lower().startswith("npm_config_") and key in _NPM:
                yield key, value

    def _read_pip(self) -> Iterator[tuple[str, str]]:
        config = configparser.RawConfigParser()
        config_home = Path(self._environment.get("XDG_CONFIG_HOME") or self._home / ".config")
        own = self._environment.get("PIP_CONFIG_FILE")
        files = [Path("/etc/pip.conf"), self._home / ".pip" / "pip.conf", config_home / "pip" / "pip.conf"]
        config.read([*files, *([Path(own)] if own else [])], encoding="utf-8")
        for key in _PIP:
            variable = self._environment.get(f"PIP_{key.upper().replace('-', '_')}")
            for section in ("install", "global"):
                if variable is None and config.has_option(section, key):
                    # Several values stand on lines of their own; the file continues a line that is indented.
                    variable = config.get(section, key).replace("\n", "\n    ")
            if variable:
                yield key, variable

    def _uv(self) -> dict[str, str]:
        names = [f"UV_{name}" for name in (*_UV, *_UV_MORE)]
        found = {name: self._environment[name] for name in names if name in self._environment}
        config_home = Path(self._environment.get("XDG_CONFIG_HOME") or self._home / ".config")
        own = Path(self._environment.get("UV_CONFIG_FILE") or config_home / "uv" / "uv.toml")
        return {**found, "UV_CONFIG_FILE": str(own)} if own.is_file() else found


def _is_npm(key: str) -> bool:
    return key in _NPM or key.startswith("//") or (key.startswith("@") and key.endswith(":registry"))
