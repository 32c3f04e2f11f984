import time

print("loading")
time.sleep(0.8)  # as if there were large libraries, connections, a model
print("loaded")


def lambda_handler(event, context):
    time.sleep(event.get("seconds", 0))
    return "done"
