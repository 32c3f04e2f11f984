def lambda_handler(event, context):
    return {"says": "one", "version": context.function_version}
