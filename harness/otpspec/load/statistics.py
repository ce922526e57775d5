"""What Locust is told: statistics in batches, and an event for each request that failed.

An event for each request would cost as much as all the rest. Where someone else listens to
Locust's request event, each request is fired all the same, from here, where listeners may block.
"""

import time
from typing import Any

import gevent
import numpy as np
from locust.env import Environment
from locust.stats import StatsEntry, bucket_response_time

from otpspec.load.histogram import middle
from otpspec.load.recorder import Cell
from otpspec.load.world import World

PAUSE_S = 0.5


class Statistics:
    """Tells Locust of a world's requests."""

    def __init__(self, environment: Environment, world: World) -> None:
        self._environment = environment
        self._world = world
        self._lengths: dict[int, int] = {}  # by cell: bytes that Locust knows of
        events = environment.events
        for hook in (events.report_to_master, events.test_stopping):
            hook._handlers.insert(0, self.flush)  # before what is reported is put together
        self._greenlet = gevent.spawn(self._often)

    def close(self) -> None:
        """Tell what is left, and no more from then on."""
        self._greenlet.kill()
        self.flush()
        events = self._environment.events
        for hook in (events.report_to_master, events.test_stopping):
            if self.flush in hook._handlers:
                hook.remove_listener(self.flush)  # type: ignore[no-untyped-call]

    def _often(self) -> None:
        while True:
            gevent.sleep(PAUSE_S)
            self.flush()

    def flush(self, **_: Any) -> None:
        """Tell everything up to now."""
        world, events = self._world, self._environment.events
        world.recorder.settle()
        for cell in list(world.recorder.cells.values()):
            where = np.flatnonzero(cell.untold)
            untold = dict(zip(where.tolist(), cell.untold[where].tolist(), strict=True))
            cell.untold[where] = 0
            if untold and not world.fires_each:
                self._tell(cell, untold)
        fired, world.fired = world.fired, []
        for method, name, seconds, length, error, counted in fired:
            if counted:
                self._environment.stats.log_error(method, name, error)
                continue
            events.request.fire(  # type: ignore[no-untyped-call]
                request_type=method,
                name=name,
                response_time=seconds * 1e3,
                response_length=length,
                exception=error,
                context={},
            )
        world.fires_each = len(events.request._handlers) > 1  # Locust's own is one

    def _tell(self, cell: Cell, untold: dict[int, int]) -> None:
        stats, now = self._environment.stats, time.time()
        method = self._world.asks.of[cell.operation].method
        entry = StatsEntry(stats, cell.operation, method)
        times = {middle(bucket) / 1e3: count for bucket, count in untold.items()}
        entry.num_requests = sum(untold.values())
        entry.num_reqs_per_sec[int(now)] = entry.num_requests
        known_as: Any = entry  # Locust says int of what it is told as float
        known_as.total_response_time = sum(ms * count for ms, count in times.items())
        known_as.min_response_time, known_as.max_response_time = min(times), max(times)
        for ms, count in times.items():
            entry.response_times[bucket_response_time(ms)] += count
        known = self._lengths.get(id(cell), 0)
        entry.total_content_length = cell.length - known
        self._lengths[id(cell)] = cell.length
        entry.last_request_timestamp = now
        stats.entries[(cell.operation, method)].extend(entry)
        stats.total.extend(entry)
