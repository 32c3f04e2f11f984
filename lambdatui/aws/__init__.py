"""The AWS endpoint: the laboratory as boto3 and the aws CLI know the cloud."""
