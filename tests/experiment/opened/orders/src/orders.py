import os

import shared


def place(event, context):
    names = ("STAGE", "LOG_LEVEL", "TABLE", "QUEUE_ARN", "WORKER", "TOPIC", "PORT", "FLAG")
    print(*(f"{name}={os.environ.get(name)}" for name in names), shared.GREETING)
    return {"records": [record["body"] for record in event["Records"]]}


def work(event, context):
    return {"job": event.get("job"), "version": context.function_version}
