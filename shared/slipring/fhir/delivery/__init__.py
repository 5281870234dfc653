"""Outbox to subscribers, follows between services, durable timers and errands."""
