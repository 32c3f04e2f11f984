import time

attempts = {}


def lambda_handler(event, context):
    number = attempts[context.aws_request_id] = attempts.get(context.aws_request_id, 0) + 1
    print(f"attempt {number} of {context.aws_request_id}")
    time.sleep(event.get("sleep", 0))
    if number <= event.get("failures", 0):
        raise RuntimeError(f"attempt {number} failed")
    return f"attempt {number} succeeded"
