"""What a CronJob's pod runs: `python3 -m kf_tasks.submitter`."""

import sys

from .submitter import main

sys.exit(main())
