"""`python -m persplit`."""

from persplit.cli import main

if __name__ == "__main__":
    main()
