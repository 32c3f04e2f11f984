import os
import time

time.sleep(0.5)  # a client to open, a model to load: what makes starts slow


def lambda_handler(event, context):
    time.sleep(1)  # long enough for the others to arrive
    return os.environ["AWS_LAMBDA_INITIALIZATION_TYPE"]
