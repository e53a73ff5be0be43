"""Gunicorn behind a load balancer, in a container whose root file system may be read-only."""

import gc
import os
from typing import Any

from runtime import logs

wsgi_app = "project.wsgi:application"
bind = f"{os.environ.get('BIND_HOST', '0.0.0.0')}:{os.environ.get('PORT', '8000')}"  # noqa: S104 -- a container

# Two processes, so that one may restart; threads because requests mostly wait for database and S3.
worker_class = "gthread"
workers = int(os.environ.get("WEB_CONCURRENCY") or 2)
threads = int(os.environ.get("WEB_THREADS") or 8)
# Imported once, before the processes part: they share its pages, and a mistake in it ends the container at once.
# Nothing may be opened at import that two processes must not share; connections and clients are made at first use.
preload_app = True
max_requests = 2000  # bounds slow leaks; the jitter keeps the processes from restarting together
max_requests_jitter = 200
timeout = 60  # above the time that a paused database needs to wake up
graceful_timeout = 25  # below the load balancer's deregistration delay and the container's stop timeout
keepalive = 75  # above the load balancer's idle timeout of 60 s: it, not we, must close first (else 502s)
worker_tmp_dir = "/dev/shm" if os.path.isdir("/dev/shm") else None  # noqa: PTH112,S108 -- heartbeats in memory
control_socket_disable = True  # no second way in, and no file to write

# The task's security group admits the load balancer alone, so whoever connects may set these headers.
forwarded_allow_ips = "*"
secure_scheme_headers = {"X-FORWARDED-PROTO": "https"}

accesslog = None if os.environ.get("DJANGO_DEBUG") == "1" else "-"
logconfig_dict = logs.configuration(level=os.environ.get("DJANGO_LOG_LEVEL") or "INFO")


def when_ready(_server: Any) -> None:
    """Keep what was imported out of garbage collection: looking at it would copy every page into every process."""
    gc.collect()
    gc.freeze()
