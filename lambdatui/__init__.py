"""lambdatui: a local AWS Lambda laboratory in the terminal."""

__version__ = "0.1.0"
