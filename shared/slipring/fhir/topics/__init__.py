"""SubscriptionTopics: what a subscriber may ask to hear of, written as data beside each service."""

from slipring.fhir.topics.topic import Filter, Topic, Trigger, read_topics

__all__ = ["Filter", "Topic", "Trigger", "read_topics"]
