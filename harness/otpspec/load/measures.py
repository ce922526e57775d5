"""All that was measured of a run, by one process or by several together."""

import msgspec

from otpspec.load.arrivals import Arrivals
from otpspec.load.histogram import Histogram
from otpspec.load.punctual import Punctual
from otpspec.load.recorder import Recorder
from otpspec.results import Codes, LoadResult


class Measures:
    """Sums, maxima and firsts: those of several processes merge, exactly and in any order."""

    def __init__(self, recorder: Recorder | None = None, punctual: Punctual | None = None) -> None:
        self.recorder = recorder or Recorder()
        self.punctual = punctual or Punctual()
        self.waits = Histogram()
        """How long codes were waited for."""

        self.code_requests = 0  # that were made to read them
        self.code_cpu_s = 0.0  # of the processes that read them
        self.cpu_s = 0.0  # of the processes that ask
        self.most_under_way = 0  # journeys of an open run; of several processes: all their mosts

    def result(
        self,
        arrivals: Arrivals | None,
        users: int,
        notes: list[str],
        *,
        lasted: float,
        reads_codes: bool,
    ) -> LoadResult:
        """As it is reported. `arrivals`: None: closed, of so many users."""
        recorder, punctual = self.recorder, self.punctual
        codes = self._codes() if reads_codes else None
        if arrivals is None:
            found = recorder.result(f"closed: {users} users", users, notes, lasted=lasted)
            return msgspec.structs.replace(found, codes=codes)
        notes = [*punctual.notes(recorder.requests), *notes]
        found = recorder.result(str(arrivals), self.most_under_way, notes, lasted=lasted)
        return msgspec.structs.replace(
            found,
            trusted=punctual.trusted(recorder.requests),
            schedule=punctual.schedule(arrivals),
            codes=codes,
        )

    def _codes(self) -> Codes:
        p50, p99 = self.waits.percentiles(0.5, 0.99)
        whole = max(self.code_cpu_s + self.cpu_s, 1e-9)
        return Codes(
            read=self.waits.count,
            wait_p50_ms=round(p50, 3),
            wait_p99_ms=round(p99, 3),
            requests=self.code_requests,
            cpu_s=round(self.code_cpu_s, 3),
            cpu_share=round(self.code_cpu_s / whole, 4),
        )
