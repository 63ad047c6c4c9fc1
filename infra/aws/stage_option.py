"""The option of the commands of ``infra.aws`` that names the stage."""

from argparse import ArgumentParser


def aws_stage(description: str | None) -> str:
    """Return the stage on AWS that the command line names."""
    parser = ArgumentParser(description=description)
    parser.add_argument("--stage", choices=("dev", "prod"), default="prod")
    return str(parser.parse_args().stage)
