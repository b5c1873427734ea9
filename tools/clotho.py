#!/usr/bin/env python3
"""The `clotho` program: tests, campaigns and failures, from the command line.

It makes the flags of test binaries convenient to use: it builds a target, starts
workers, replays, shrinks, shows and merges. All of this is also possible with
the flags.

  tools/clotho replay c1/0/4:1/b7e2 //examples:job_queue_hunt
  tools/clotho help
"""

import sys

from cli.main import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
