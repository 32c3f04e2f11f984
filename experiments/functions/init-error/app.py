import os

print("module code runs")
TABLE = os.environ["TABLE"]  # nobody has set it


def lambda_handler(event, context):
    return f"reads {TABLE}"
