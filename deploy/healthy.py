"""The container's health check: does this service answer?"""

import os
import socket
import sys
import urllib.request

PORTS = {"front": 8100, "order": 8101, "consent": 8102, "report": 8103, "critical": 8104}


def main() -> int:
    """0 when the service answers."""
    service = os.environ.get("SERVICE", "front")
    host = os.environ.get("SLIPRING_HOST") or socket.gethostname()
    path = "/health/live" if service == "front" else f"/{service}/health/live"
    try:
        with urllib.request.urlopen(f"http://{host}:{PORTS[service]}{path}", timeout=3) as answer:
            return int(answer.status != 200)
    except OSError:
        return 1


if __name__ == "__main__":
    sys.exit(main())
