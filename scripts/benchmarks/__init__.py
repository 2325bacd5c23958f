"""What the server takes, beside others on the same machine in the same run: `scripts/bench --help`."""
