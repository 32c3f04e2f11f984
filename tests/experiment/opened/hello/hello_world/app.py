import json


def lambda_handler(event, context):
    print(event["httpMethod"], event["path"])
    return {"statusCode": 200, "body": json.dumps({"message": "hello world"})}
