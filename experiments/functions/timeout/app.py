import time


def lambda_handler(event, context):
    print("going to sleep for 3 s")
    time.sleep(3)
    return "slept well"
