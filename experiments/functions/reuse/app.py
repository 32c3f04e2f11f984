STEP = 1
count = 0
print("module code runs")  # when an environment starts, and not when it is invoked


def lambda_handler(event, context):
    global count
    count += STEP
    return {"count": count, "log_stream": context.log_stream_name}
