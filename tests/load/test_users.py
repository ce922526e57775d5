"""A Locust user is one slot: users, spawn rates and Locust's own statistics keep their meaning."""

import json
import os
import subprocess
import sys
import textwrap
from collections.abc import Callable
from typing import Any

SCRIPT = """
    import json, sys, time
    import gevent
    from locust.env import Environment
    from otpspec.load.child import Payer
    from otpspec.load.plan import Plan
    from otpspec.load.place import places
    from otpspec.load.post import order
    from otpspec.load.user import begin
    from otpspec.load.world import World
    from otpspec.profile import load
    from otpspec_scenarios.load.behaviours import DAY

    profile = load("safekey-reference", base_url=sys.argv[1])
    plan = Plan(profile, places(profile), DAY, seed=7)
    world = World(plan, order(profile, "safekey-reference", sys.argv[1]))
    environment = Environment(user_classes=[Payer], stop_timeout=2)
    session = begin(environment, world)
    came, times = session.came, []
    session.came = lambda: (times.append(time.monotonic()), came())
    runner = environment.create_local_runner()
    single = []
    if "each" in sys.argv:
        environment.events.request.add_listener(lambda **told: single.append(told["name"]))
    try:
        world.open()
        runner.start(6, spawn_rate=4)
        def users(wanted):  # a greenlet is counted by Locust before it has taken its slot
            ends = time.monotonic() + 20
            while (runner.user_count, session.users) != (wanted, wanted):
                if time.monotonic() > ends:
                    break
                gevent.sleep(0.01)
            return (runner.user_count, session.users)
        counts = users(6)
        gevent.sleep(1.0)
        runner.start(2, spawn_rate=100)
        left = users(2)
        under_way = sum(len(pool.lines) for pool in world.engine._pools.values())
        runner.quit()
        session.close()
        stats = environment.stats
        measured = sum(e.num_requests for (n, m), e in stats.entries.items() if m != "(hook)")
        print(json.dumps({
            "counts": counts, "left": left,
            "took": [at - times[0] for at in times], "lines": under_way, "told": measured,
            "recorded": world.recorder.requests, "single": len(single),
            "failures": stats.num_failures, "failure": str(world.failure or ""),
        }))
    finally:
        session.close()
"""


def play(url: str, token: str, *words: str) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(SCRIPT), url, *words],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={**os.environ, "OTPSPEC_TEST_TOKEN": token, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def test_users_come_at_the_spawn_rate_and_go_when_there_are_to_be_fewer(
    serve: Callable[..., Any],
) -> None:
    server = serve()

    found = play(server.url, server.token)

    assert found["counts"] == [6, 6]
    assert len(found["took"]) == 6
    assert found["took"][4] > 0.5  # four at once, and the others in the second after
    assert found["left"] == [2, 2]
    assert found["failure"] == ""


def test_locust_is_told_of_every_request_by_the_end(serve: Callable[..., Any]) -> None:
    server = serve()

    found = play(server.url, server.token)

    assert found["recorded"] > 100
    assert found["told"] == found["recorded"]
    assert found["failures"] == 0


def test_who_listens_to_each_request_hears_of_each(serve: Callable[..., Any]) -> None:
    server = serve()

    found = play(server.url, server.token, "each")

    assert found["told"] == found["recorded"]
    assert found["single"] >= found["recorded"] * 0.8  # the first half second came in a batch
