def lambda_handler(event, context):
    if event.get("order") == "broken":
        raise ValueError("this order makes no sense")
    return {"shipped": event.get("order")}
