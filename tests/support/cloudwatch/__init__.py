"""CloudWatch for tests: what happened in virtual time, as datapoints, and the alarms of a template on them."""
