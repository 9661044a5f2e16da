"""Asks this container's web process for /healthz, under a host name it accepts. Exit code 0 is healthy."""

import http.client
import os
import sys

host = os.environ["ALLOWED_HOSTS"].replace(",", " ").split()[0].lstrip(".")
connection = http.client.HTTPConnection("127.0.0.1", 8000, timeout=8)
connection.request("GET", "/healthz", headers={"Host": host})
answer = connection.getresponse()
print(answer.status, answer.read().decode())
sys.exit(answer.status != 200)
