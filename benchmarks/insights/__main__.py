"""The command."""

from benchmarks.insights import main

main()
