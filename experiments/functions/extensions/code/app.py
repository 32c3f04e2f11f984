import time

print("module code runs")


def lambda_handler(event, context):
    print("handler runs")
    time.sleep(event.get("seconds", 0))
    return "done"
