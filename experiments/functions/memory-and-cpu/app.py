import time


def lambda_handler(event, context):
    time.sleep(event.get("wait", 0))
    end = time.process_time() + event.get("work", 0)  # seconds of CPU time, not of the clock on the wall
    while time.process_time() < end:
        pass
    return f"done with {context.memory_limit_in_mb} MB"
