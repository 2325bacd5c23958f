"""Zero downtime, shown under load: `scripts/deploy-check` runs it long, a test runs it shortly."""
