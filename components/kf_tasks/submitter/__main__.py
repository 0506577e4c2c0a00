import sys

from .submitter import main

sys.exit(main())
