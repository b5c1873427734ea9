#!/usr/bin/env python3
"""The `clotho` program: tests, campaigns and failures, from the command line.

It makes pleasant what the test binaries do by their flags: builds a target,
starts workers, replays, shrinks, shows, merges. It adds no power.

  tools/clotho replay c1/0/4:1/b7e2 //examples:job_queue_hunt
  tools/clotho help
"""

import sys

from cli.main import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
