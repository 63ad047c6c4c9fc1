"""Package the app for AWS and deploy it: templates, alarms, policies, front door, change sets."""
