"""Installs the products that otpspec is tested against, each into an environment of its own.

    python tests/products/install.py [NAME …]

They go to .products/NAME in the checkout's root, with the exact versions of NAME/requirements.txt,
or of NAME/package.json where the product is one of Node.js. What is there already, with the same
versions, is left as it is.
"""

import hashlib
import shutil
import subprocess
import sys
import venv
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
NAMES = ("django_allauth", "privacyidea", "better_auth", "drfpasswordless")
NODE = shutil.which("node")


def environment(name: str) -> Path:
    """The folder of a product's environment, whether it is there or not."""
    return ROOT / ".products" / name


def installed(name: str) -> bool:
    """Whether the product is there, with the versions and the Python that are asked for."""
    marker = environment(name) / ".installed"
    return marker.is_file() and marker.read_text() == _wanted(name)


def install(name: str) -> None:
    """Make the product's environment anew. Raises CalledProcessError where that fails."""
    folder = environment(name)
    if _of_node(name):
        _install_of_node(name, folder)
    else:
        venv.create(folder, clear=True, with_pip=True)
        pip = [folder / "bin" / "python", "-m", "pip", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, "install", "-r", HERE / name / "requirements.txt"], check=True)
    (folder / ".installed").write_text(_wanted(name))


def _of_node(name: str) -> bool:
    return (HERE / name / "package.json").is_file()


def _install_of_node(name: str, folder: Path) -> None:
    """Its modules are found beside what imports them, so the site itself goes there, too."""
    if folder.exists():
        shutil.rmtree(folder)
    shutil.copytree(HERE / name, folder)
    npm = ["npm", "install", "--no-package-lock", "--ignore-scripts", "--no-audit", "--no-fund"]
    subprocess.run([*npm, "--silent"], cwd=folder, check=True)


def _wanted(name: str) -> str:
    if _of_node(name):
        files = sorted(p for p in (HERE / name).iterdir() if p.is_file())
        made_of, runs_on = b"".join(p.read_bytes() for p in files), f"Node.js at {NODE}"
    else:
        made_of = (HERE / name / "requirements.txt").read_bytes()
        runs_on = f"Python {sys.version.split()[0]}"
    return f"{hashlib.sha256(made_of).hexdigest()} on {runs_on}\n"


def main(names: list[str]) -> int:
    """Install the products of these names; all of them where none is named."""
    if unknown := sorted(set(names) - set(NAMES)):
        print(f"no such product: {', '.join(unknown)}; there are {', '.join(NAMES)}")
        return 2
    for name in names or NAMES:
        if installed(name):
            print(f"{name} is there already")
        elif _of_node(name) and NODE is None:
            print(f"{name} needs Node.js, which is not here: left out")
        else:
            print(f"{name}: installing into {environment(name).relative_to(ROOT)}", flush=True)
            install(name)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
