"""Prints the greeting, and hands it on as a result."""

import os
from pathlib import Path

text = Path(__file__).with_name("greeting.txt").read_text().strip()
print(text)
Path(os.environ["KF_RESULTS"], "greeting").write_text(text)
