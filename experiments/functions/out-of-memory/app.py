import time

count = 0


def lambda_handler(event, context):
    global count
    count += 1
    print("asking for", event["mb"], "MB")
    held = b"x" * (event["mb"] * 2**20)
    time.sleep(0.1)  # something is done with it
    return {"count": count, "held": len(held) // 2**20}
