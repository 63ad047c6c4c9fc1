"""DynamoDB through pynamodb: every change is a conditional write, never a read followed by a plain write."""
