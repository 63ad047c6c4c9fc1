"""What leaves the engine: messages on SQS queues, frames to WebSocket connections."""
