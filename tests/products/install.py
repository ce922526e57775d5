"""Installs the products that otpspec is tested against, each into an environment of its own.

    python tests/products/install.py [NAME …]

They go to .products/NAME in the checkout's root, with the exact versions of NAME/requirements.txt.
What is there already, with the same versions, is left as it is.
"""

import hashlib
import subprocess
import sys
import venv
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
NAMES = ("django_allauth", "privacyidea")


def environment(name: str) -> Path:
    """The folder of a product's environment, whether it is there or not."""
    return ROOT / ".products" / name


def installed(name: str) -> bool:
    """Whether the product is there, with the versions and the Python that are asked for."""
    marker = environment(name) / ".installed"
    return marker.is_file() and marker.read_text() == _wanted(name)


def install(name: str) -> None:
    """Make the product's environment anew."""
    folder = environment(name)
    venv.create(folder, clear=True, with_pip=True)
    pip = [folder / "bin" / "python", "-m", "pip", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "install", "-r", HERE / name / "requirements.txt"], check=True)
    (folder / ".installed").write_text(_wanted(name))


def _wanted(name: str) -> str:
    requirements = (HERE / name / "requirements.txt").read_bytes()
    return f"{hashlib.sha256(requirements).hexdigest()} on Python {sys.version.split()[0]}\n"


def main(names: list[str]) -> int:
    """Install the products of these names; all of them where none is named."""
    if unknown := sorted(set(names) - set(NAMES)):
        print(f"no such product: {', '.join(unknown)}; there are {', '.join(NAMES)}")
        return 2
    for name in names or NAMES:
        if installed(name):
            print(f"{name} is there already")
        else:
            print(f"{name}: installing into {environment(name).relative_to(ROOT)}", flush=True)
            install(name)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
