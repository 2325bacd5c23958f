"""What breaks a server: run shortly as tests, and long by hand with `scripts/torture`.

Each part is a module with `main(arguments) -> exit code`, so that a long run needs no test runner.
"""
