"""`python -m fieldline.cli`: the command without its script."""

from fieldline.cli import main

if __name__ == "__main__":
    main()
