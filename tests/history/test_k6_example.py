"""The k6 example, run in Node with stand-ins for k6's modules: k6 itself is not in the tests."""

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from otpspec import history as histories
from otpspec.linearize import Legality, judge
from otpspec.policy import Policy

EXAMPLE = Path(__file__).parents[2] / "examples" / "k6" / "history.js"
NODE = shutil.which("node")

HTTP = """
import { execFileSync } from 'node:child_process';
const ASK = `const [method, url, body, headers] = JSON.parse(process.argv[1]);
fetch(url, { method, body, headers }).then(async (answer) => console.log(
  JSON.stringify({ status: answer.status, body: await answer.text() })));`;
function ask(method, url, body, params) {
  const words = JSON.stringify([method, url, body, params.headers]);
  const told = JSON.parse(execFileSync(process.execPath, ['-e', ASK, words]));
  return { status: told.status, json: (key) => JSON.parse(told.body)[key] };
}
export default {
  post: (url, body, params) => ask('POST', url, body, params),
  get: (url, params) => ask('GET', url, undefined, params),
};
"""
CRYPTO = """
import { createHmac, randomBytes } from 'node:crypto';
export default {
  randomBytes: (size) => Uint8Array.from(randomBytes(size)).buffer,
  hmac: (algorithm, key, data, encoding) =>
    createHmac(algorithm, key).update(data).digest(encoding),
};
"""
RUN = """
globalThis.__ENV = process.env; globalThis.__VU = 1; globalThis.__ITER = 0;
const script = await import('./history.mjs');
script.setup();
for (; globalThis.__ITER < 2; globalThis.__ITER++) script.default();
"""


@pytest.mark.skipif(NODE is None, reason="needs node, to read JavaScript with")
def test_k6_example_writes_a_history_that_is_judged(reference_server: Any, tmp_path: Path) -> None:
    package = tmp_path / "node_modules" / "k6"
    package.mkdir(parents=True)
    exports = {"./http": "./http.mjs", "./crypto": "./crypto.mjs"}
    (package / "package.json").write_text(json.dumps({"name": "k6", "exports": exports}))
    (package / "http.mjs").write_text(HTTP)
    (package / "crypto.mjs").write_text(CRYPTO)
    (tmp_path / "run.mjs").write_text(RUN)
    shutil.copy(EXAMPLE, tmp_path / "history.mjs")
    told = {"BASE_URL": reference_server.url, "OTPSPEC_TEST_TOKEN": reference_server.token}

    written = subprocess.run(
        [str(NODE), "run.mjs"],
        cwd=tmp_path,
        env=os.environ | told,
        capture_output=True,
        timeout=60,
        check=False,
    )

    assert written.returncode == 0, written.stderr.decode()
    path = tmp_path / "history.jsonl"
    path.write_bytes(written.stdout)
    history = histories.read(path)
    words = [sorted(call.outcomes or ()) for call in history.calls(np.arange(len(history)))]
    assert words == [["done"], ["wrong_otc"], ["approved"], ["void"]] * 2
    assert judge(history, Policy()).legality is Legality.LEGAL
    assert judge(history, Policy(max_wrong=1)).legality is Legality.BROKEN
