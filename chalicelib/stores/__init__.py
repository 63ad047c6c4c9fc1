"""DynamoDB through pynamodb: conditional writes, and nothing read to be written back."""
