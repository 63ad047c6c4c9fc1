"""Messages on SQS queues, and frames to WebSocket connections."""
