"""The `burgee` command."""

from burgee_server.cli import main

if __name__ == "__main__":
    main()
