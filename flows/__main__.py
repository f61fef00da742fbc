"""`everspring`, and `python -m flows`."""

import gc


def main() -> None:
    """Start the command line."""
    gc.disable()  # what imports make is no garbage: looking for some took a tenth of the start-up
    from flows.cli import main as run

    gc.freeze()
    gc.enable()
    run()


if __name__ == "__main__":
    main()
