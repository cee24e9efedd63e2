"""The `burgee` command."""

try:
    from burgee_server.cli import main
except ModuleNotFoundError as error:
    raise SystemExit(f"{error.name} is not installed: pip install 'burgee[server]'") from error

if __name__ == "__main__":
    main()
