import json


def lambda_handler(event, context):
    print("condition:", event["requestContext"]["condition"])
    print("attempts:", event["requestContext"]["approximateInvokeCount"])
    print("request:", json.dumps(event["requestPayload"]))
    print("response:", json.dumps(event["responsePayload"]))
