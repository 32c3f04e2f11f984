import os
import tempfile

FILE = os.path.join(tempfile.gettempdir(), "data")  # /tmp/data
count = 0


def lambda_handler(event, context):
    global count
    count += 1
    if event.get("crash"):
        os._exit(1)
    with open(FILE, "ab", buffering=0) as file:
        for _ in range(event.get("write_mb", 0)):
            file.write(bytes(2**20))
    return {"count": count, "mb": os.path.getsize(FILE) // 2**20}
