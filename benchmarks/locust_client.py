"""Locust's own clients, asking the same and checking nothing: python locust_client.py fast URL 5

Prints a line of JSON: requests, seconds of processor time (without the first second), rate, and
p99 in ms as Locust has it.
"""

import json
import sys
import time

import gevent
from locust import FastHttpUser, HttpUser, User, constant_throughput, task
from locust.env import Environment

STARTED = {"card_id": "c1", "amount": "12.00", "currency": "EUR", "merchant": "otpspec"}


class Asks(User):
    """Starts a transaction and sends its code."""

    abstract = True

    @task
    def journey(self) -> None:
        self.client.post("/transactions", json=STARTED, name="start")
        self.client.post("/transactions/t1/verify", json={"otc": "123456"}, name="verify")


class Fast(Asks, FastHttpUser):
    """By geventhttpclient."""

    insecure = True


class Slow(Asks, HttpUser):
    """By requests."""


def main() -> None:
    """Run for so many seconds; with a rate (requests a second), as constant throughput."""
    kind, url, seconds = sys.argv[1], sys.argv[2], float(sys.argv[3])
    rate = float(sys.argv[4]) if len(sys.argv) > 4 else 0.0
    users = 20 if rate else 64
    chosen = {"fast": Fast, "slow": Slow}[kind]
    if rate:
        chosen.wait_time = constant_throughput(rate / 2 / users)
    environment = Environment(user_classes=[chosen], host=url)
    runner = environment.create_local_runner()
    runner.start(users, spawn_rate=users)
    gevent.sleep(1.0)
    stats = environment.stats.total
    before, cpu, began = stats.num_requests, time.process_time(), time.monotonic()
    gevent.sleep(seconds)
    done, used = stats.num_requests - before, time.process_time() - cpu
    lasted = time.monotonic() - began
    p99 = stats.get_response_time_percentile(0.99)
    print(json.dumps({"requests": done, "cpu_s": used, "rate": done / lasted, "p99_ms": p99}))
    runner.quit()


main()
