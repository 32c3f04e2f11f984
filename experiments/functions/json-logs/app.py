import logging

logger = logging.getLogger("orders")


def lambda_handler(event, context):
    print("printed as it is")
    logger.info("order %s accepted", event["order"])
    logger.warning("order %s waits for payment", event["order"])
    if event.get("broken"):
        raise ValueError("no such order")
    return "accepted"
