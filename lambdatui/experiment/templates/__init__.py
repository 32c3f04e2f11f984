"""AWS SAM and CloudFormation templates: their functions as an experiment without steps."""
