"""`python -m runtime.healthcheck`: does this container's web server answer? The image needs no curl."""

import http
import http.client
import os
import sys


def main() -> int:
    """Return 0 when `/status/` answers 200 within 4 seconds."""
    connection = http.client.HTTPConnection("127.0.0.1", int(os.environ.get("PORT") or 8000), timeout=4)
    try:
        connection.request("GET", "/status/")
        return 0 if connection.getresponse().status == http.HTTPStatus.OK else 1
    except OSError:
        return 1
    finally:
        connection.close()


if __name__ == "__main__":
    sys.exit(main())
