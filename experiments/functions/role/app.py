import os


def lambda_handler(event, context):
    print("hello from the handler")
    return os.environ["AWS_ACCESS_KEY_ID"][:4]
