"""Starts `kf` as a script, so that neither PYTHONPATH nor the current folder decides whose code runs."""

import sys
from pathlib import Path

if __name__ == "__main__":
    # In place of this script's own folder, whose modules would hide others of the same name.
    sys.path[0] = str(Path(__file__).resolve().parents[2])
    try:
        from components.cli.main import kf

        kf(prog_name="kf")
    except KeyboardInterrupt:
        sys.exit(130)
